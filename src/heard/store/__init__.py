"""Where state is kept: SQLAlchemy Core over SQLite or PostgreSQL, one module of functions per noun.

Functions take a connection and whole batches; a query per message is the design error to refuse in review.
"""
