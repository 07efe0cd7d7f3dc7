//! The intent language: lexer, parser, tree, names, formatter, sentences
