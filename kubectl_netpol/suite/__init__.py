"""Suites: files of checks, what each check expects, and whether what was found is as expected.

Pure: files are texts, and what the policies and the network say is passed in. Nothing is asked, resolved or printed.
"""
