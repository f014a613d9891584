"""Tests of the pages and pictures."""
