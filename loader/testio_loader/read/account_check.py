"""Checks that an API token belongs to the account loaded earlier under the same `customer_id`.

No answer of the API names the customer. Another customer's token would land data under the wrong
id, so the products are compared with those of earlier loads.
"""

from collections.abc import Iterable, Mapping

from testio_loader.errors import AccountChangedError
from testio_loader.read.records import Record
from testio_loader.read.refresh_policy import EarlierLoads
from testio_loader.read.scope import Scope

_SHOWN = 3
"""Maximum number of ids in a message."""


def check(customer_id: int, scope: Scope, products: Iterable[Record], known: EarlierLoads) -> None:
    """Raise AccountChangedError if the products are not those of this customer.

    An empty list proves nothing. Two customers may use the same ids; then the content of the
    products decides.

    Args:
        customer_id: the customer whose account is expected.
        scope: the scope of products, which computes their content hashes.
        products: the products of the account.
        known: what earlier loads have read.
    """
    found = {int(product.id): product for product in products}
    if not found:
        return
    owner = _owner(customer_id, scope, found, known)
    missing = known.products - found.keys()
    if known.products and missing == known.products:
        seen = (
            f"the API returned none of the {len(missing):,} known products of customer_id "
            f"{customer_id} ({_first_few(missing)}), but {len(found):,} others "
            f"({_first_few(found)})"
        )
    elif owner is not None:
        seen = (
            f"the API returned {len(found):,} products ({_first_few(found)}) "
            f"for customer_id {customer_id}"
        )
    else:
        return
    whose = f", which belong to customer_id {owner}" if owner is not None else ""
    raise AccountChangedError(
        f"{seen}{whose}: check whether its API token belongs to another customer (two tokens "
        "swapped?); if the account has really changed, load with --accept-account-change"
    )


def _owner(
    customer_id: int, scope: Scope, found: Mapping[int, Record], known: EarlierLoads
) -> int | None:
    """Return the other customer whose newest known products match most of these, if any."""
    own = known.accounts.get(customer_id, {})
    changed = {
        id_: product
        for id_, product in found.items()
        if own.get(id_) != scope.version(product, customer_id)
    }
    for other_id, versions in sorted(known.accounts.items()):
        same = sum(
            versions.get(id_) == scope.version(product, other_id)
            for id_, product in changed.items()
        )
        if other_id != customer_id and 2 * same > len(found):
            return other_id
    return None


def _first_few(ids: Iterable[int]) -> str:
    """Return the lowest ids as text."""
    ordered = sorted(ids)
    return ", ".join(map(str, ordered[:_SHOWN])) + (", …" if len(ordered) > _SHOWN else "")
