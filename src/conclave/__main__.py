"""`python -m conclave`: the same as the command `conclave`."""

from conclave.cli import main

main()
