"""What ./dev runs: set-up, server, tests, demo. Standard library only until a venv exists."""
