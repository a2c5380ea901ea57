"""Number words in languages of which only phrases are known: "tres horas" is still 3 hours.

A table has the forms of one to twelve, in this order and with their inflections, then those of some
larger numbers. Chinese and Japanese numerals are read digit by digit.
"""

import re
from collections.abc import Iterator

from autoevol.metrics.text.wording import words

_TWELVE = {
    "es": "un|uno|una dos tres cuatro cinco seis siete ocho nueve diez once doce",
    "de": "ein|eine|einen|einem|einer|eins zwei|beide|beiden drei vier fünf sechs sieben acht neun "
    "zehn elf zwölf",
    "fr": "un|une deux trois quatre cinq six sept huit neuf dix onze douze",
    "pt": "um|uma dois|duas três quatro cinco seis sete oito nove dez onze doze",
    "it": "un|uno|una due tre quattro cinque sei sette otto nove dieci undici dodici",
    "ru": "один|одна|одно|одного|одной|одном|одну|одним два|две|двух|двум|двумя|двое|двоих "
    "три|трех|трёх|трем|трём|тремя|трое|троих четыре|четырех|четырёх|четырем|четырьмя|четверо "
    "пять|пяти|пятью|пятеро шесть|шести|шестью семь|семи|семью восемь|восьми|восемью "
    "девять|девяти|девятью десять|десяти|десятью одиннадцать|одиннадцати двенадцать|двенадцати",
    "ar": "واحد|واحدة|احد|إحدى اثنان|اثنين|اثنتان|اثنتين|اثنتي ثلاث|ثلاثة أربع|أربعة خمس|خمسة ست|ستة "
    "سبع|سبعة ثمان|ثماني|ثمانية تسع|تسعة عشر|عشرة أحدعشر اثناعشر",
    "hi": "एक दो|दोनों तीन|तीनों चार|चारों पाँच|पांच|पाँचों छह|छः|छे|छ सात आठ नौ दस ग्यारह बारह",
    "vi": "một hai ba bốn năm sáu bảy tám chín mười|chục mười-một mười-hai",
    "tr": "bir iki|ikisi|ikişer üç|üçü|üçer dört|dördü beş|beşi altı yedi sekiz dokuz on onbir oniki",
    "id": "satu|sebuah|seorang dua|kedua tiga|ketiga empat|keempat lima enam tujuh delapan sembilan "
    "sepuluh sebelas duabelas",
    "pl": "jeden|jedna|jedno|jednego|jednej|jedną|jednym dwa|dwie|dwóch|dwu|dwom|dwoma|dwoje|dwiema "
    "trzy|trzech|trzem|trzema|troje cztery|czterech|czterem|czterema|czworo pięć|pięciu|pięcioro "
    "sześć|sześciu siedem|siedmiu osiem|ośmiu dziewięć|dziewięciu dziesięć|dziesięciu "
    "jedenaście|jedenastu dwanaście|dwunastu",
}
_LARGER = {
    "es": {15: "quince", 20: "veinte", 30: "treinta", 50: "cincuenta", 100: "cien|ciento"},
    "de": {15: "fünfzehn", 20: "zwanzig", 30: "dreißig", 50: "fünfzig", 100: "hundert|einhundert"},
    "fr": {15: "quinze", 20: "vingt", 30: "trente", 50: "cinquante", 100: "cent"},
    "pt": {15: "quinze", 20: "vinte", 30: "trinta", 50: "cinquenta", 100: "cem|cento"},
    "it": {15: "quindici", 20: "venti", 30: "trenta", 50: "cinquanta", 100: "cento"},
    "ru": {
        **{15: "пятнадцать|пятнадцати", 20: "двадцать|двадцати", 30: "тридцать|тридцати"},
        **{50: "пятьдесят|пятидесяти", 100: "сто|ста"},
    },
    "ar": {20: "عشرون|عشرين", 30: "ثلاثون|ثلاثين", 50: "خمسون|خمسين", 100: "مئة|مائة"},
    "hi": {15: "पंद्रह|पन्द्रह", 20: "बीस", 30: "तीस", 50: "पचास", 100: "सौ"},
    "vi": {100: "trăm"},
    "tr": {20: "yirmi", 30: "otuz", 50: "elli", 100: "yüz"},
    "id": {100: "seratus"},
    "pl": {
        **{15: "piętnaście|piętnastu", 20: "dwadzieścia|dwudziestu", 30: "trzydzieści|trzydziestu"},
        **{50: "pięćdziesiąt|pięćdziesięciu", 100: "sto|stu"},
    },
}
_ARABIC_PREFIX = re.compile("^[وبلكف]?(?:ال)?")
_CHINESE = re.compile("[一二三四五六七八九十百千两兩〇零]{1,9}")
_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | dict.fromkeys(
    "两兩", 2
)
_UNITS = {"十": 10, "百": 100, "千": 1000}


def _table(code: str) -> dict[str, int]:
    forms = [*enumerate(_TWELVE[code].split(), start=1), *_LARGER[code].items()]
    return {form: value for value, group in forms for form in group.split("|")}


_TABLES = {code: _table(code) for code in _TWELVE}


def spelled_numbers_in(text: str, code: str) -> set[int]:
    """Return the numbers that a text writes as words.

    Args:
        text: Anything.
        code: ISO 639-1 code of its language; "": unknown, so any table counts.
    """
    if code in ("zh", "ja"):
        return {_chinese_value(run) for run in _CHINESE.findall(text)}
    tables = [_TABLES[code]] if code in _TABLES else list(_TABLES.values())
    forms = [form for word in words(text) for form in _forms(word, code)]
    return {table[form] for form in forms for table in tables if form in table}


def _forms(word: str, code: str) -> Iterator[str]:
    """Yield a word, and an Arabic one without the particles that are written with it."""
    yield word
    if code == "ar":
        yield _ARABIC_PREFIX.sub("", word)


def _chinese_value(run: str) -> int:
    """Return the value of a numeral such as 三百二十; one of digits alone is read from left to right."""
    if not any(char in _UNITS for char in run):
        return int("".join(str(_DIGITS.get(char, 0)) for char in run))
    total = digit = 0
    for char in run:
        if char in _UNITS:
            total, digit = total + (digit or 1) * _UNITS[char], 0
        else:
            digit = _DIGITS.get(char, 0)
    return total + digit
