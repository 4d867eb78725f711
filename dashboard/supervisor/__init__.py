"""The supervisor behind ``make demo`` and ``make up``: it prepares the data folder, starts every process,
says which one died and why, starts it again, and takes all of them along when it goes.

It is no part of the web application and does not load Django's settings: the settings need secrets that
it creates first, and what watches the others should stay small.
"""
