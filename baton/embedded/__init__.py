"""Servers for looking around, where none are given: a Kafka-compatible broker and a real PostgreSQL.

Both are child processes that end with their parent, listen on this machine alone and keep their data in one folder.
"""
