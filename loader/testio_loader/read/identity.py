"""Tells whether an account is the one that was read before under the same `customer_id`.

Nothing in an answer names the customer. A token of somebody else would land that customer's data
under the wrong id, so the products are compared with those that earlier loads have read.
"""

from collections.abc import Iterable, Mapping

from testio_loader.errors import AccountChangedError
from testio_loader.read.records import Record
from testio_loader.read.refresh_policy import EarlierLoads
from testio_loader.read.scope import Scope

_SHOWN = 3
"""How many ids a message names."""


def check(customer_id: int, scope: Scope, products: Iterable[Record], known: EarlierLoads) -> None:
    """Raise AccountChangedError if the products are not those of this customer.

    An empty list says nothing about whose it is. Two customers may use the same ids: what tells
    them apart then is what their products say.

    Args:
        customer_id: whose the account should be.
        scope: the scope of products, which knows how versions are told apart.
        products: what the account has.
        known: what earlier loads have read.
    """
    found = {int(product.id): product for product in products}
    if not found:
        return
    owner = _owner(customer_id, scope, found, known)
    missing = known.products - found.keys()
    if known.products and missing == known.products:
        seen = (
            f"none of the {len(missing):,} known products of customer_id {customer_id} "
            f"({_some(missing)}) came back, but {len(found):,} others ({_some(found)})"
        )
    elif owner is not None:
        seen = f"{len(found):,} products ({_some(found)}) came back for customer_id {customer_id}"
    else:
        return
    whose = f", which are those of customer_id {owner}" if owner is not None else ""
    raise AccountChangedError(
        f"{seen}{whose}: check whether its API token is another customer's (two tokens "
        "exchanged?); if the account has really changed, load with --accept-account-change"
    )


def _owner(
    customer_id: int, scope: Scope, found: Mapping[int, Record], known: EarlierLoads
) -> int | None:
    """Return another customer whose products most of these are, as they last were."""
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


def _some(ids: Iterable[int]) -> str:
    """Return the first ids."""
    ordered = sorted(ids)
    return ", ".join(map(str, ordered[:_SHOWN])) + (", …" if len(ordered) > _SHOWN else "")
