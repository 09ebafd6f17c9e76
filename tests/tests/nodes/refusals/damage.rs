//! A database with bytes that nobody wrote.
