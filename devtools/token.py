"""mint a personal access token and print only it on standard output"""

from . import databases, serve, setup, tokens
from .console import Failure


def add_arguments(parser):
    """For whom, with what rights, for how long."""
    parser.add_argument("--login", required=True, help="a user's login, such as admin or demo")
    parser.add_argument("--profile", help="an access profile open to the user")
    parser.add_argument("--days", type=int, default=30, help="life of the token (default: 30)")
    parser.add_argument("--name", default="./dev", help="its name in the user's list")
    parser.add_argument("--db", default="dev", help="database (default: dev)")


def run(arguments):
    """Mint and print."""
    setup.ready()
    if not databases.exists(arguments.db):
        if arguments.db != "dev":
            raise Failure(f"There is no database {arguments.db}.")
        serve.prepare(arguments.db, "full")
    wanted = tokens.Wanted(arguments.login, arguments.profile, arguments.days, arguments.name)
    print(*tokens.issue(arguments.db, wanted))
    return 0
