"""A stand-in for the Test IO Customer API, with synthetic data, for trials and tests.

with serve(Account()) as sandbox:
    requests.get(f"{sandbox.url}/products", headers={"Authorization": f"Token {TOKEN}"})
"""

from testio_sandbox.account import Account
from testio_sandbox.server import TOKEN, Answer, Handler, Query, serve
from testio_sandbox.store import MISSING
from testio_sandbox.truth import Truth

__all__ = ["MISSING", "TOKEN", "Account", "Answer", "Handler", "Query", "Truth", "serve"]
