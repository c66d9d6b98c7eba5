"""Writes all words down: enough for the small groups."""

ONES = "  tva tre fyra fem sex sju atta nio tio elva tolv tretton fjorton femton sexton sjutton arton nitton".split(" ")
TENS = "  tjugo trettio fyrtio femtio sextio sjuttio attio nittio".split(" ")


def spoken(value, one):
    text = ("ett" if value // 100 == 1 else ONES[value // 100]) + "hundra" if value >= 100 else ""
    rest = value % 100
    if rest >= 20:
        text += TENS[rest // 10]
        rest %= 10
    return text + (one if rest == 1 else ONES[rest])


def word(number):
    text = ""
    thousands = number // 1000
    if thousands:
        text = "ettusen" if thousands == 1 else spoken(thousands, "en") + "tusen"
    return text + spoken(number % 1000, "ett")


n, k = map(int, input().split())
if n > 20_000:
    print("?")
else:
    text = "".join(sorted(word(number) for number in range(1, n + 1)))
    print(text[k - 1 : k + 2])
