//! Intent against reach: clauses and tests become findings
