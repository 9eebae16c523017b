"""The names and texts of the synthetic account."""

from typing import NamedTuple


class Topic(NamedTuple):
    """A feature that most shops have; a higher fragility gives it more bugs."""

    title: str
    fragility: float
    stories: tuple[str, ...]
    """Each completes "As a shopper, I can …"."""
    problems: tuple[str, ...]

    @property
    def paths(self) -> list[str]:
        """Its user stories as complete texts."""
        return [f"As a shopper, I can {story}" for story in self.stories]


class Character(NamedTuple):
    """The rates by which the figures of products differ."""

    bugs: float
    rejected: float
    auto_accepted: float
    days_to_triage: float


CHARACTERS = (
    Character(1.6, 0.14, 0.08, 1.5),
    Character(1.0, 0.46, 0.10, 4.0),
    Character(0.8, 0.22, 0.45, 6.0),
    Character(1.2, 0.10, 0.05, 0.8),
    Character(0.6, 0.28, 0.20, 5.0),
    Character(0.9, 0.18, 0.15, 3.0),
)
TOPICS = (
    Topic(
        "Checkout",
        9,
        ("order as a guest", "use a voucher code", "change the delivery address"),
        (
            "Spinner never stops after the order was placed",
            "Voucher is taken off twice",
            'Button "Order now" is hidden behind the cookie banner',
        ),
    ),
    Topic(
        "Payment",
        7,
        ("pay with a saved card", "pay by invoice", "go back from the bank without losing my cart"),
        (
            "Card is refused without a message",
            "Bank page opens twice",
            "Amount differs from the cart by one cent",
        ),
    ),
    Topic(
        "Shopping cart",
        6,
        ("change the quantity of an item", "find my cart again on another device"),
        (
            "Removed item comes back after a reload",
            "Quantity can be set to a negative number",
            "Total is not updated when the quantity changes",
        ),
    ),
    Topic(
        "Search",
        5,
        ("search by article number", "see suggestions while typing", "correct a typing error"),
        (
            "No results for words with umlauts (ä, ö, ü)",
            "Suggestions cover the search button",
            "Result count and results differ",
        ),
    ),
    Topic(
        "Product page",
        4,
        ("choose size and colour", "zoom into a picture"),
        (
            "Picture of the wrong colour is shown",
            "Price overlaps the title",
            "Sold-out size can be put into the cart",
        ),
    ),
    Topic(
        "Login and registration",
        4,
        ("log in with my e-mail address", "reset my password", "register with a social account"),
        (
            "Password reset link has expired at once",
            "Error text names the wrong field",
            "Keyboard covers the password field",
        ),
    ),
    Topic(
        "Filters and sorting",
        3,
        ("filter by price", "sort by newest first"),
        ("Filter is lost on page 2", "Slider cannot be moved to its end"),
    ),
    Topic(
        "Delivery tracking",
        3,
        ("see where my parcel is", "move the delivery to another day"),
        ("Map stays grey", "Delivery day is one day early"),
    ),
    Topic(
        "Returns",
        3,
        ("print a return label", "see when I get my money back"),
        ("Return label is cut off at the right", "Refund is shown in the wrong currency"),
    ),
    Topic(
        "Account settings",
        2,
        ("change my e-mail address", "delete my account"),
        ("Changes are not saved", "Birthday jumps to the day before"),
    ),
    Topic(
        "Notifications",
        2,
        ("switch off single notifications", "open the app from a notification"),
        ("Notification opens the start page", "Badge does not go away"),
    ),
    Topic(
        "Wish list",
        1,
        ("share my wish list", "move a wish into the cart"),
        ("Shared wish list is empty for others", "Heart stays grey after the tap"),
    ),
    Topic(
        "Reviews and ratings",
        1,
        ("rate what I bought",),
        ("Stars cannot be reached by keyboard", "Review text is cut after an emoji 😀"),
    ),
    Topic(
        "Store finder",
        1,
        ("find the nearest store", "see opening hours"),
        ("Opening hours are missing on Sundays", "Location is asked for again and again"),
    ),
    Topic(
        "Help and contact",
        0.6,
        ("chat with support",),
        ("Chat window cannot be closed", "Phone number is no link"),
    ),
    Topic(
        "Newsletter",
        0.4,
        ("subscribe", "unsubscribe with one click"),
        ("Confirmation mail says “Hello null”", "Unsubscribe link leads to an error page"),
    ),
)
STORIES = {
    path: story[0].upper() + story[1:]
    for topic in TOPICS
    for path, story in zip(topic.paths, topic.stories, strict=True)
}
"""The title of each user story, by its path."""
PRODUCTS = (
    ("Harbour Shop", "website"),
    ("Harbour for Android", "mobile_app_android"),
    ("Harbour for iOS", "mobile_app_ios"),
    ("Nordlicht Möbel", "website"),
    ("Parcel Pilot", "website"),
    ("Kaufhaus Klee", "website"),
    ("Trailhead Outdoor", "website"),
    ("Tiny Toys TV", "streaming_app"),
)
CUSTOMER_USERS = ("Anna Lindqvist", "Jonas Weber", "Priya Raman", "qa-team")
TESTERS = (
    "bughunter_ines", "m.okafor", "Tomasz K.", "pixelpete", "Søren", "李娜", "ana.maria", "lena_w",
    "QA-Quokka", "the_real_omar", "fatima.z", "j0hn", "Zoë B.", "testosaurus", "ravi_p", "nadia",
    "Marta Nowak", "hiroshi", "clickclickboom", "o'brien", "Ömer", "kiwi_tester", "ludo", "سارة",
)  # fmt: skip
"""All customers share these testers, who have no identity but their names."""
DEVICES = (
    # category, vendor, device, operating system, version, browsers
    ("Smartphones", "Apple", "iPhone 15", "iOS", "18.1", ("Safari",)),
    ("Smartphones", "Apple", "iPhone 12 mini", "iOS", "17.6.1", ("Safari", "Chrome")),
    ("Smartphones", "Samsung", "Galaxy S23", "Android", "14", ("Chrome", "Samsung Internet")),
    ("Smartphones", "Google", "Pixel 8", "Android", "15", ("Chrome",)),
    ("Smartphones", "Xiaomi", "Redmi Note 12", "Android", "13", ("Chrome", "Firefox")),
    ("Tablets", "Apple", "iPad Air 5", "iPadOS", "17.5", ("Safari",)),
    ("Tablets", "Samsung", "Galaxy Tab S8", "Android", "14", ("Chrome",)),
    ("Computers", "Apple", "MacBook Pro", "macOS", "15.0", ("Safari", "Chrome")),
    ("Computers", "Dell", "XPS 13", "Windows", "11", ("Edge", "Firefox")),
    ("Computers", "Lenovo", "ThinkPad T14", "Windows", "10", ("Chrome",)),
    ("Computers", "Lenovo", "ThinkPad X1", "Linux", "Ubuntu 24.04", ("Firefox",)),
)
_SYSTEMS = {"mobile_app_ios": ("iOS", "iPadOS"), "mobile_app_android": ("Android",)}
DEVICES_OF = {
    kind: [place for place, device in enumerate(DEVICES) if device[3] in _SYSTEMS.get(kind, device)]
    for _, kind in PRODUCTS
}
"""Per type of product, the indexes of the devices that it runs on."""
CIRCUMSTANCES = (
    "", " in landscape", " on a slow network", " in dark mode", " after the second try",
    " for a returning customer", " with German texts", " when several tabs are open",
)  # fmt: skip
OBSERVATIONS = (
    "It happens every time.",
    "A reload does not help.",
    "The console shows nothing.",
    "Other pages are not affected.",
    "I waited for two minutes and tried again.",
    "With another account it is the same.",
    "It worked in the test before.",
)
REJECT_REASONS = (
    # key, name, default comment; the percent sign and the quotes break naive searches
    (
        "device_not_relevant",
        "Device not relevant",
        "This device is used by fewer than 1% of our customers, so we will not fix this.",
    ),
    (
        "ignored_instructions",
        "Instructions ignored",
        "Please read the test's instructions again: they rule this out.",
    ),
    (
        "intended_behavior",
        "Intended behaviour",
        "It works as designed.\nWe know that it can look like a bug.",
    ),
    ("irrelevant", "Irrelevant", "This is not relevant to us."),
    ("known_bug", "Known bug", 'We know this one already; see "Known bugs" in the test.'),
    ("not_reproducible", "Not reproducible", "We could not reproduce this with the steps given."),
    ("request_timeout", "Request timed out", "Our question was not answered in time."),
)
