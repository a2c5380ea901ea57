"""What the rows of the tasks are put together from."""

from collections.abc import Callable

GREETINGS = (
    "Hello,",
    "Hi there,",
    "Good morning,",
    "Dear team,",
    "To whom it may concern:",
    "Hey,",
)
CLOSINGS = (
    "Please look into it.",
    "I look forward to your reply.",
    "Can you help?",
    "Thanks in advance.",
    "What can be done?",
    "Best wishes.",
)
AMOUNTS = (
    "The order was worth {amount} euros.",
    "We are talking about {amount} euros.",
    "I paid {amount} euros for it.",
    "The sum is {amount} euros.",
)
LEAVING = (
    "If this goes on I will take my business elsewhere.",
    "I am thinking of closing my account.",
    "Another shop has already made me an offer.",
    "This was the last time that I bought from you.",
)
TICKETS = {
    "billing": (
        "my card was charged twice for order {order}.",
        "the invoice for order {order} lists a fee that I do not understand.",
        "I returned the {item} {days} days ago and have not got my money.",
        "the discount code was not taken off the price of the {item}.",
    ),
    "shipping": (
        "order {order} has been on its way for {days} days.",
        "the tracking page has shown the same town for {days} days.",
        "the courier says that he delivered the {item}, but nothing came.",
        "could you send order {order} to my office instead?",
    ),
    "returns": (
        "the {item} arrived with a crack.",
        "I ordered a {item} and got something else.",
        "the {item} stopped working after {days} days.",
        "the {item} is too small and I would like to send it back.",
    ),
    "technical": (
        "the app closes whenever I open order {order}.",
        "I cannot log in since I changed my password {days} days ago.",
        "the page shows an error when I put the {item} into the basket.",
        "the confirmation mail for order {order} has a link that leads nowhere.",
    ),
}
ITEMS = (
    ("lamp", "Lamps"),
    ("kettle", "Kettles"),
    ("chair", "Chairs"),
    ("blanket", "Blankets"),
    ("mirror", "Mirrors"),
    ("teapot", "Teapots"),
    ("shelf", "Shelves"),
    ("clock", "Clocks"),
    ("vase", "Vases"),
    ("knife", "Knives"),
)
FIRST_NAMES = ("Ada", "Bruno", "Chen", "Dalia", "Emil", "Farah", "Goran", "Hana", "Ines", "Jonas")
LAST_NAMES = ("Abel", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haas", "Ito")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
DATES = ("{day} {month}", "{month} {day}", "{short} {day}", "the {day}. of {month}")
QUANTITIES = (
    (12, "a dozen"),
    (24, "two dozen"),
    (6, "half a dozen"),
    (12, "two boxes of six"),
    (20, "four packs of five"),
    (30, "three crates of ten"),
    (2, "a pair of"),
    (3, "three"),
    (7, "seven"),
    (15, "15"),
    (40, "40"),
)
HURRY = (
    "It is urgent.",
    "We need them as fast as you can.",
    "Please send them by courier.",
    "Speed matters here.",
)
NO_HURRY = (
    "There is no hurry.",
    "The usual way will do.",
    "Please call before you deliver.",
    "A receipt would be welcome.",
)
ORDERS = (
    "Hello, this is {customer}. I would like {amount} {item}, to arrive on {date}. {speed}",
    "Please put down {amount} {item} for {date}. {speed} Regards, {customer}",
    "{speed} Our shop needs {amount} {item} on {date}. Yours, {customer}",
    "Dear team, {customer} here: {amount} {item} please, delivery on {date}. {speed}",
)
SUMS: tuple[tuple[str, Callable[..., int]], ...] = (
    (
        "{name} buys {a} pencils for {b} cents each and a ruler for {c} euros. What does it cost?",
        lambda a, b, c: a * b + 100 * c,
    ),
    (
        "{name} has {a} euros and spends {b} times 25 cents, then {c} cents more. How much money "
        "is left?",
        lambda a, b, c: 100 * a - 25 * b - c,
    ),
    (
        "A rope is {a} metres long. {name} cuts off {b} pieces of {c} centimetres. How long is the "
        "rest?",
        lambda a, b, c: 100 * a - b * c,
    ),
    (
        "{name} stacks {a} boxes, each {b} centimetres high, on a table of {c} metres. How high is "
        "the top?",
        lambda a, b, c: a * b + 100 * c,
    ),
    (
        "{name} fills {a} bags with {b} apples each and eats {c} of them. How many are left?",
        lambda a, b, c: a * b - c,
    ),
    (
        "Each of {a} shelves holds {b} books. {name} brings {c} more. How many books are there?",
        lambda a, b, c: a * b + c,
    ),
)
