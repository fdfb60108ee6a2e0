"""The system tests' servers, the program under test, and what reads its results."""
