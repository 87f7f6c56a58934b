"""`python -m envoi` is the command `envoi`."""

from envoi.cli import main

if __name__ == "__main__":
    main()
