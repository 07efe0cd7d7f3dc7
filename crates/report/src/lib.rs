//! Findings for people and machines: terminal, JSON, SARIF, JUnit, Markdown
