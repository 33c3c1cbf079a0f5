"""What reads other people's bytes in the control plane, on damaged input: `bench/fuzz.py` runs it.

Each parser has seeds as real clients and servers send them, damage of its own kind (bytes, JSON,
messages), and says which outcomes are documented: everything else ends the run, with the seed.
"""
