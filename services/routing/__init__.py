"""Hands the qualified ones to sales."""
