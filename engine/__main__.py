"""`python -m engine` is `stepgram`. Nothing else belongs here."""

from engine.cli import main

if __name__ == "__main__":
    main()
