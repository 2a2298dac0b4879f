"""Prices, change, discounts, tax, interest, wages, and percentages in all directions."""
from decimal import Decimal
from fractions import Fraction

from . import people
from .grammar import SHOW, Problem, calculate, held, plain
from .people import CURRENCY, DEAR, GOODS, Person, capital, distract


def price(d, value, currency):
    """3.50 dollars, $3.5, 3 euros."""
    text = plain(value)
    if "." in text and len(text.partition(".")[2]) == 1 and d.some(0.8):
        text += "0"
    return f"{currency[0]}{text}{currency[1]}"


def plural(thing):
    head, of, rest = thing.partition(" of ")
    if head.endswith(("ch", "sh", "x", "s")) and not head.endswith("pass"):
        head += "es"
    elif head == "loaf":
        head = "loaves"
    elif head.endswith("y") and head[-2] not in "aeiou":
        head = head[:-1] + "ies"
    else:
        head += "s"
    return head + of + rest


def person(d):
    p = Person(d)
    return p


def do(text):
    """Verbs of the first person."""
    for wrong, right in (("does I", "do I"), ("did I", "did I"), ("I buys", "I buy"), ("I pays", "I pay"), ("I has", "I have"), ("I gets", "I get"), ("I wants", "I want"), ("I earns", "I earn"), ("I works", "I work"), ("I saves", "I save"), ("I needs", "I need"), ("has I", "have I"), ("must I", "must I"), ("will I", "will I"), ("I is", "I am")):
        text = text.replace(wrong, right)
    return text


COST = ("{s} [bought|buys] {n} {ts} [for|at] {a} [each|apiece|per piece]. How much [does|did] {he} [pay|spend] [in all|altogether|]?", "one {t} costs {a}. [How much|What] do {n} [{ts}|] cost?", "[how much|what] do {n} {ts} cost [if|when] one costs {a}?", "{n} {ts} at {a} [each|]: [total|how much|what is the total]?", "what is the [price|cost] of {n} {ts} at {a} each?",
        "a {t} is {a}. {s} [takes|buys|orders] {n}. [What|How much] is the [bill|total]?", "how much [must|will] {s} pay for {n} {ts} at {a} [each|a piece]?", "the price of a {t} is {a}. Find the price of {n}.", "{ts} cost {a} each. [I|We] need {n}. How much is [that|it]?", "{n} {ts}, {a} each. How much [altogether|in total|]?", "if a {t} costs {a}, [how much are|how much do] {n} [of them|{ts}|] [cost|]?",
        "{n} x {t} at {a}, total?", "at {a} a {t}, what [do|would] {n} {ts} [cost|come to]?",
    "[I wonder|Can you tell me|Do you know] [what|how much] {n} {ts} cost at {a} [each|apiece].", "{s} {has} {n} {ts} in the basket, {a} [each|apiece]. What will the till show?", "a shop sells {ts} at {a} each. [What would|How much would] {n} [of them|] [come to|cost]?",
    "each {t} costs {a}. [Work out|Find] the [cost|total price] of {n}[ of them|].", "price per {t}: {a}. Quantity: {n}. [Total|Amount due|To pay]?", "you [pay|are charged] {a} for each {t}. What do you pay for {n}?",
    "what's the damage for {n} {ts} at {a} [each|a piece]?", "how much money [do you need|is needed|does {s} need] to buy {n} {ts} at {a} each?",
    "{s} need{es} {n} {ts}. Each [one|] costs {a}. How much [is that|will it be] [altogether|in total|]?", "[work out|find|calculate] the cost of {n} {ts} at {a} each[.|]")
UNIT = ("{n} {ts} cost {a}. [How much is|What does] one [{t}|] [cost|]?", "{s} paid {a} for {n} {ts}. [What|How much] [was|did] [one|each] [cost|]?", "what is the price of one {t} if {n} cost {a}?", "{n} {ts} for {a}. Price [per piece|of one|each]?", "for {n} {ts} {s} paid {a}. How much [was|is] one?", "if {n} {ts} cost {a}, [what does one cost|how much is one|find the price of one][?|]", "a pack of {n} {ts} costs {a}. How much is [that per piece|one {t}]?",
    "{s} got {n} {ts} for {a} [in all|altogether]. What did each {t} cost?", "how much is each {t} if {n} [of them|] [come to|cost|are] {a}?", "[I wonder|Can you tell me] what one {t} costs when {n} of them cost {a}.",
    "{a} buys {n} {ts}. [What is the unit price|How much apiece|What is the price of each]?", "the bill for {n} {ts} is {a}. [Work out|Find] the cost of one {t}.",
    "a bag with {n} {ts} costs {a}. [Find|Work out] the price of one.")
HOWMANY = ("{s} {has} {a}. A {t} costs {b}. How many {ts} can {he} buy?", "how many {ts} at {b} [each|] can [you|I|{s}] buy [for|with] {a}?", "a {t} is {b}. How many can [I|you] get for {a}?", "one {t} costs {b}. {s} spent {a} on {ts}. How many did {he} buy?", "[with|for] {a}, how many {ts} at {b} [each|apiece]?", "{ts} cost {b} each; {s} paid {a}. How many [were there|did {he} get]?",
    "a shop sells {ts} for {b} each. How many [could you|can one|can {s}] [buy|get] with {a}?", "{s} {has} {a} to spend on {ts} at {b} each. How many [is that|can {he} afford]?", "how many {ts} does {a} buy at {b} [each|apiece]?",
    "budget {a}, one {t} {b}: how many {ts}?", "at {b} [each|apiece], {a} gets you how many {ts}?")
CHANGE = ("{body} {he} pays with {note}. How much change does {he} get?", "{body} {he} [pays|paid] with [a {note} note|{note}]. [What is the|How much] change[| is it]?", "{body} How much [change|money] [does|will] {he} get back from {note}?", "{body} How much [is left|remains] of {note}?",
    "{body} If {he} hand{es} over {note}, what [is the change|change is due]?", "{body} {he} give{es} the cashier {note}. What change comes back?", "{body} What is the change from {note}?",
    "{body} {he2} pay{es} with {note}. How much comes back?")
CHANGE_ONE = ("{s} [buys|bought] a {t} for {a} and [pays|paid] with {note}. How much change [does|did] {he} get?", "a {t} costs {a}. How much change from {note}?", "[what change|how much change] [do I|does {s}|do you] get from {note} for a {t} at {a}?", "{s} had {note} and bought a {t} for {a}. How much [is left|does {he} have left]?", "the bill is {a}. {s} pays with {note}. [What is the change|How much comes back|How much change is due]?", "change from {note} if the {t} is {a}?",
              "a {t} for {a}, paid with {note}: change?", "{s} hands over {note} for a {t} that costs {a}. What [change|money] [is due|does {he} get back]?",
    "what change should {s} get from {note} after buying a {t} for {a}?", "{s} give{es} the cashier {note} for a {t} priced at {a}. [Work out the change.|How much comes back?]", "[I wonder|Can you tell me] how much change I get from {note} when a {t} is {a}.",
    "price {a}, paid {note}: [change|money back]?", "if I pay for a {a} {t} with {note}, how much [do I get back|change is there]?", "take {a} for a {t} out of {note}. What is left?")
BASKET = ("{s} [bought|buys] {n} {ts} at {a} each and {m} {us} at {b} each. [How much|What] [does|did] {he} [pay|spend] [in all|]?", "{n} {ts} at {a} [each|] and {m} {us} at {b} [each|]: [total|how much]?", "a {t} costs {a} and a {u} costs {b}. [How much|What] do {n} {ts} and {m} {us} cost?", "what [is the total cost|is the price|do I pay] for {n} {ts} at {a} and {m} {us} at {b} [each|]?",
          "{ts} are {a} and {us} {b}. {s} takes {n} {ts} and {m} {us}. [What is the bill|How much is it]?",
    "one {t} is {a}, one {u} is {b}: [what is the cost of|what will {s} pay for|how much for] {n} {ts} and {m} {us}?", "how much [must|will] {s} pay for {n} {ts} at {a} each plus {m} {us} at {b} each?", "the shop charges {a} per {t} and {b} per {u}: what is the bill for {n} {ts} and {m} {us}?")
TWO = ("{s} bought a {t} for {a} and a {u} for {b}. How much [did {he} spend|was it|is that] [in all|altogether|]?", "a {t} costs {a} and a {u} {b}. What do they cost together?", "a {t} for {a} plus a {u} for {b}: [total|how much]?", "how much are a {t} at {a} and a {u} at {b} together?",
    "{s} spent {a} on a {t} and {b} on a {u}. What was the [total|bill]?", "what is the [total|combined] [cost|price] of a {t} for {a} and a {u} for {b}?", "a {t} is {a}. A {u} is {b}. How much for both?",
    "[find|work out] the total: a {t} at {a}, a {u} at {b}.")
LESS = ("{s} has {a} and wants [to buy|] a {t} that costs {b}. How much [more does {he} need|is missing|more]?", "a {t} costs {b}. {s} has [saved|] {a}. How much [is missing|more must {he} save|does {he} still need]?", "{s} has {a}. The {t} is {b}. How much money is missing?",
    "how much [more|more money] does {s} need for a {t} at {b} if {he} already {has} {a}?", "{s} want{es} a {t} for {b} but only {has} {a}. How [short is {he}|much is lacking]?", "price of the {t}: {b}. Money in hand: {a}. How much [is still needed|more is needed]?")
SPEND = ("{s} had {a} and spent {b}. How much [is left|does {he} have left|remains]?", "{s} spent {b} of {his} {a}. [How much is left|What is left]?", "from {a} {s} paid {b} for a {t} and {c} for a {u}. How much is left?", "{s} had {a}. {he2} bought a {t} for {b} and a {u} for {c}. How much [money|] [is left|does {he} have left|remains]?",
    "{s} started with {a} and paid out {b}. [What remains|How much money is left]?", "how much of {a} is left after spending {b}?", "out of {a}, {s} spent {b} on a {t} and {c} on a {u}. What is left?",
    "there was {a} in the purse, and {s} spent {b}. How much is still there?")


def shopping(d):
    p, t, u, cur = person(d), d.situation(GOODS), d.situation(GOODS), d.situation(CURRENCY)
    kind = d.rng.choice(["cost", "cost", "unit", "howmany", "change", "change1", "change1", "basket", "basket", "two", "less", "spend"])
    a, b = d.money(40), d.money(30)
    n, m = d.rng.randint(2, d.one(9, 20)), d.rng.randint(2, 9)
    show = lambda v: price(d, v, cur)
    slots = dict(p.slots(d), t=t, u=u, ts=plural(t), us=plural(u), n=d.say(n), m=d.say(m), he2=p.he.capitalize())
    if kind == "cost":
        return Problem(capital(do(d.frame(COST, a=show(a), **slots))), a * n, calculate("Multiply", "{0} * {1}", n, a))
    if kind == "unit":
        return Problem(capital(do(d.frame(UNIT, a=show(a * n), **slots))), a, calculate("Divide", "{0} / {1}", a * n, n))
    if kind == "howmany":
        return Problem(capital(do(d.frame(HOWMANY, a=show(a * n), b=show(a), **slots))), n, calculate("Divide", "{0} / {1}", a * n, a))
    if kind in ("change", "change1"):
        total = a * (n if kind == "change" else 1)
        note = Decimal(next((x for x in (5, 10, 20, 50, 100, 200, 500) if x > total), 1000))
        if d.some(0.3):
            note = total.to_integral_value() + d.rng.randint(1, 40)
        if kind == "change":
            body = d.frame(COST[:1], a=show(a), **slots).partition(". ")[0] + "."
            text = d.frame(CHANGE, body=body, note=show(note), **slots)
            return Problem(capital(distract(d, p, do(text))), note - total, calculate("Subtract from what was paid", "{0} - {1} * {2}", note, n, a))
        return Problem(capital(distract(d, p, do(d.frame(CHANGE_ONE, a=show(a), note=show(note), **slots)))), note - total, calculate("Subtract from what was paid", "{0} - {1}", note, a))
    if kind == "basket":
        text, total, step = d.frame(BASKET, a=show(a), b=show(b), **slots), n * a + m * b, ("Add up", "{0} * {1} + {2} * {3}", [n, a, m, b])
        if d.some(0.3):
            note = total.to_integral_value() + d.rng.randint(1, 30)
            head = text.rpartition(". ")[0]
            text = head if all(str(x) in head for x in (n, m)) else text.rstrip("?").replace(": total", "").replace(": how much", "")
            text = text + d.fill(". {he2} pays with {note}. How much change[ does {he} get|]?", note=show(note), **slots)
            return Problem(capital(do(text)), note - total, calculate("Subtract from what was paid", "{4} - {0} * {1} - {2} * {3}", *step[2], note))
        return Problem(capital(distract(d, p, do(text))), total, calculate(step[0], step[1], *step[2]))
    if kind == "two":
        return Problem(capital(do(d.frame(TWO, a=show(a), b=show(b), **slots))), a + b, calculate("Add", "{0} + {1}", a, b))
    if kind == "less":
        b = a + d.money(60)
        return Problem(capital(do(d.frame(LESS, a=show(a), b=show(b), **slots))), b - a, calculate("Subtract", "{0} - {1}", b, a))
    c = d.money(20)
    text = d.frame(SPEND, a=show(a + b + c), b=show(b), c=show(c), **slots)
    if show(c) in text or plain(c) in text and ("for a" in text):
        return Problem(capital(distract(d, p, do(text))), a, calculate("Subtract", "{0} - {1} - {2}", a + b + c, b, c))
    return Problem(capital(distract(d, p, do(text))), a + c, calculate("Subtract", "{0} - {1}", a + b + c, b))


OF = ("[What is|How much is|Calculate|Find|Work out|] {p} [%|percent|per cent] of {b}[?|.|=]", "[What is|Find] {p}% of {b}[?|]", "{p}[%| percent] of {b} is [what|how much]?", "[take|find] {p}% of {b}", "how [much|many] are {p} percent of {b}?", "{p} % from {b}[?|]", "of {b}, how much is {p}%?", "give me {p}% of {b}",
    "[I wonder|Can you tell me|I'd like to know] [what|how much] {p}% of {b} is", "out of {b}, {p} percent is how much?", "work {p}% of {b} out[.|]",
    "if 100% is {b}, [what|how much] is {p}%?", "the whole is {b}. [What is|Find] {p} percent of it[?|]")
OF_STORY = ("[there are {b}|a school has {b}|of {b}|in a group of {b}] [students|people|children|members][, and|. |, ] {p}% [of them|] [are girls|wear glasses|play chess|like tea|walk to school|have a dog]. How many [is that|are that|people are that]?", "{s} earns {b}{cur} and saves {p}% [of it|]. How much [is that|does {he} save]?", "{p}% of {b} [eggs|apples|parts|seats] are [broken|bad|taken|red]. How many are [that|broken|it]?",
            "a [forest|farm|box] has {b} [trees|animals|balls]; {p} percent are [oaks|sheep|blue]. How many [are that|is that]?", "how many of {b} [people|voters|pupils] are {p}%?",
    "{p}% of the {b} [pupils|guests|workers|visitors] in a [school|hotel|factory|museum] [are adults|come by bus|have a bike]. How many is that?", "how many [people|pupils|guests] are {p} percent of a group of {b}?", "{b} [tickets|books|cups] were made and {p}% [were sold|of them sold]. How many were sold?",
    "{b} [people|pupils|guests] were asked, and {p}% said yes. How many [said yes|is that]?")
WHAT = ("[what percent|what percentage|how many percent] of {b} is {a}?", "{a} is what [percent|percentage] of {b}?", "{a} [out of|of] {b} [is how many percent|in percent|as a percentage|is what percent][?|]", "[express|write] {a} out of {b} as a [percentage|percent]", "what percentage is {a} of {b}?", "{s} got {a} of {b} [points|questions|answers] [right|]. What percent is that?", "{a} of {b} [students|people|balls] are [boys|red|here]. What [percent|percentage] is that?", "how many percent is {a} from {b}?", "[give|find] {a}/{b} [as a percentage|in percent]",
    "as a percentage, what is {a} out of {b}?", "[I wonder|Can you tell me] what percentage {a} is of {b}", "if {b} is 100%, what percent is {a}?",
    "out of {b} [pupils|eggs|seats], {a} are [new|brown|free]. What percentage is that?", "{s} scored {a} out of {b}. [What is that in percent|What percentage is that]?",
    "what share of {b} is {a}, in percent?")
WHOLE = ("{p}% of [a number|what number|which number] is {a}[. What is the number|. Find the number|][?|]", "{a} is {p}% of [what|which number|what number]?", "{p} percent of [what|which] number [is|makes|equals] {a}?", "if {p}% of [a number|the pupils|the price] is {a}, what is [the number|the whole|100%|the total]?", "{a} [students|people|seats] are {p}% [of all|]. How many are there in all?", "{a} is {p} percent of the whole. [What is the whole|Find the whole][?|]",
    "what is the whole if {p}% of it is {a}?", "[find|what is] the number of which {a} is {p}%[?|]", "{p}% is {a}. [What is|How much is] 100%?",
    "I think of a number. {p}% of it is {a}. What is my number?")
CHANGE_TO = ("[increase|raise] {b} by {p}[%| percent]", "[decrease|reduce|lower] {b} by {p}[%| percent]", "[what is|find] {b} [increased|plus|raised] by {p}%[?|]", "[what is|find] {b} [decreased|reduced|lowered] by {p}%[?|]", "{b} plus {p}%", "{b} minus {p}%", "what is {p}% more than {b}?", "what is {p}% less than {b}?",
    "what do you get [when|if] you increase {b} by {p}%?", "what do you get [when|if] you decrease {b} by {p}%?", "{b} goes up {p}%: an increase to [what|how much]?",
    "{b} goes down by {p}%. What is it then?", "raise the number {b} by {p} percent of itself", "take {p}% off {b}")
PERCENT_CHANGE = ("[the price|the rent|a salary|the population|the number of members|a share|the cost] [rose|went up|grew|increased] from {a} to {b}. [By how many percent|What is the percentage increase|What percent is that][?|]", "[the price|a salary|the number|the weight|a share] [fell|went down|dropped|decreased] from {a} to {b}. [By how many percent|What is the percentage decrease|What percent is that][?|]",
                  "[what is the|find the] percent[age|] [change|increase] from {a} to {b}[?|]", "[what is the|find the] percent[age|] decrease from {a} to {b}[?|]", "from {a} to {b}: how many percent [more|up]?", "from {a} to {b}: how many percent [less|down]?",
    "a [ticket|house|loaf|club fee] was {a} and is now {b}. By what percentage has it [gone up|risen|increased]?", "a [ticket|house|coat|fee] was {a} and is now {b}. What is the percentage decrease?", "what percent [increase|rise|growth] is it from {a} to {b}?",
    "by what percentage do we decrease {a} to get {b}?")
SALE = ("a {t} costs {a}. [There is|It has|With] a discount of {p}%[. What|, what] is the [new price|sale price|price now]?", "a {t} at {a} is [reduced|marked down] by {p}%. [What does it cost now|What is the new price|How much is it now]?", "{p}% off a {t} [at|of|that costs] {a}[. What is the price|: what do I pay|, new price][?|]", "a {a} {t} is on sale [for|at|with] {p}% off. [What is the sale price|How much is it|What do you pay]?", "the price of a {t} is {a}. It [goes down|falls|drops] by {p} percent. What is the new price?",
        "how much [is|does] a {t} [at|for|of] {a} [cost|] [after|with] {p}% [off|discount]?", "what is the price of a {a} {t} after a {p}% [discount|reduction]?", "a {t} was {a}, now {p}% [off|less]. [What is the price|How much is it now][?|]",
    "[in the sale|this week], {p}% is taken off a {t} that [normally|usually] costs {a}. What is the sale price?", "normal price of a {t}: {a}. Discount: {p}%. [Price to pay|New price]?", "how much will {s} pay for a {a} {t} with {p}% off?",
    "a shop [cuts|lowers|reduces] the price of a {t} by {p}%. It was {a}. What is it now?", "[I wonder|Can you tell me] what a {a} {t} costs after {p}% off.",
    "take {p}% off a {t} at {a}. What is the price now?")
SAVED = ("a {t} costs {a} and is {p}% off. How much [do you save|is saved|is the discount]?", "how much do I save with {p}% off a {t} at {a}?", "what is the discount on a {a} {t} at {p}%?", "{p}% discount on {a}: how [big|much] is the discount?",
    "how much money is saved on a {a} {t} with {p}% off?", "a {t} at {a} has {p}% off. What is the saving?", "regular price {a}, {p}% off: how much is the saving?",
    "{s} buys a {a} {t} with {p}% off. How much does {he} save?")
TAX = ("a {t} costs {a} [plus|without|before] {p}% tax. [What is the price|What does it cost|How much is it] [with tax|in all|including tax]?", "the price is {a} before tax. [The tax is|Tax:] {p}%. [What is|Find] the [total|final price][?|]", "a {t} for {a} [goes up|rises|increases] by {p}%. [What is the new price|How much is it now]?", "add {p}% [tax|VAT|sales tax] to {a}[.|. What is the total?]", "a bill of {a} with a {p}% tip [is how much|makes what total|comes to what][?|]",
       "the meal costs {a} and {s} leaves a tip of {p}%. [What does {he} pay in all|How much in total]?", "with {p}% [tax|VAT], what is the [total|price] of a {a} {t}?", "{s} earns {a} and gets {p}% more. [What is|How much is] {his} new [pay|salary|wage]?", "the rent of {a} rises by {p} percent. What is the new rent?",
    "how much is {a} [with|including] {p}% tax [added|on top]?", "{p}% tax is added to a price of {a}. What is the [total|final price]?", "a {t} that was {a} now costs {p}% more. What is the price now?",
    "bill {a}, tip {p}%: total to pay?", "{his} pay of {a} goes up by {p}%. What is the pay now?")
TAX_ONLY = ("how much is {p}% tax on {a}?", "what is a {p}% tip on [a bill of|] {a}?", "the bill is {a}. How much is a {p}% tip?", "[find|what is] the [tax|VAT] on {a} at {p}%[?|]",
    "on a price of {a}, how much is the {p}% tax?", "a tip of {p}% on {a} is how much?", "[work out|calculate] a {p}% tip on {a}[.|]")
BEFORE = ("after a discount of {p}% a {t} costs {a}. What [did it cost|was the price] [before|at first]?", "a {t} costs {a} after {p}% off. [What was the original price|Find the original price][?|]", "{s} paid {a} for a {t} with {p}% off. What was the [old|full|original] price?", "[the sale price is|on sale for] {a}, which is {p}% off. What [is|was] the [original|regular] price?",
    "a {t} is now {a}, because {p}% was taken off. What did it cost before?", "what was the price before a {p}% discount if a {t} now costs {a}?", "{p}% off brought a {t} down to {a}. [Find|What was] the original price[?|]",
    "a {t} costs {a} in the sale at {p}% off. How much does it cost normally?")
BEFORE_UP = ("with {p}% tax a {t} costs {a}. What is the price without tax?", "after a rise of {p}% the [rent|price|pay] is {a}. What was it before?", "[a price|the pay] went up by {p}% to {a}. What was it before?",
    "what was the price before {p}% tax if a {t} costs {a} with the tax?", "the [rent|fee|price] is now {a}, after going up {p}%. What was it at first?",
    "{a} is the price with {p}% tax included. [Find|What is] the price before tax[?|]")


def percent(d):
    p = person(d)
    if p.me:
        p.who, p.he, p.his, p.me = "Karim", "he", "his", False
    rate = d.one(5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 80, 90, 12, 8, 35, 45, d.rng.randint(1, 99), 100)
    kind = d.rng.choice(["of", "of", "story", "what", "what", "whole", "to", "change", "sale", "sale", "saved", "tax", "tax", "taxonly", "before", "up"])
    base = d.int(1, 60) * d.one(10, 20, 100, 5) if d.some(0.75) else d.int(2, 900)
    cur, t = d.situation(CURRENCY), d.situation(DEAR if d.some(0.7) else GOODS)
    show = lambda v: price(d, v, cur)
    slots = dict(p.slots(d), p=rate, t=t, cur=d.one(" dollars", " euros"))
    part = Decimal(base) * rate / 100
    if kind in ("of", "story"):
        if kind == "story" and part != int(part):
            return None
        if d.some(0.05) and kind == "of":
            rate = slots["p"] = Decimal(d.rng.randint(1, 19)) + Decimal("0.5")
            part = Decimal(base) * rate / 100
        shown = show(base) if kind == "of" and d.some(0.2) else base
        return Problem(capital(d.frame(OF if kind == "of" else OF_STORY, b=shown, **slots)), part, calculate("Take the percentage", "{0} * {1} / 100", rate, base))
    if kind == "what":
        base = d.one(20, 25, 40, 50, 80, 100, 200, d.int(2, 40) * 5, d.rng.randint(2, 16) * 4)
        part = d.rng.randint(1, base)
        answer = Decimal(part) * 100 / base
        if (answer * 100) % 1:
            return None
        return Problem(capital(d.frame(WHAT, a=part, b=base, **slots)), answer, calculate("Part over whole, in percent", "{0} * 100 / {1}", part, base))
    if kind == "whole":
        if not 0 < part == int(part):
            return None
        return Problem(capital(d.frame(WHOLE, a=int(part), **slots)), base, calculate("The whole from its part", "{0} * 100 / {1}", int(part), rate))
    if kind == "to":
        text = d.frame(CHANGE_TO, b=base, **slots)
        up = any(w in text.lower() for w in ("increase", "raise", "plus", "more"))
        return Problem(capital(text), base + part if up else base - part, calculate(f"{'Add' if up else 'Take off'} the percentage", "{0} * (100 %s {1}) / 100" % ("+" if up else "-"), base, rate))
    if kind == "change":
        base = d.one(10, 20, 25, 40, 50, 80, 100, 200, 250, 400, 500, 1000)
        rate = d.rng.randint(1, 18) * 5
        text = d._pick(PERCENT_CHANGE, d.frames)
        d.held_frame |= held(text)
        down = any(w in text for w in ("fell", "decrease", "less"))
        other = Decimal(base) * (100 - rate if down else 100 + rate) / 100
        if other != int(other):
            return None
        other = int(other)
        text = d.fill(text, a=base, b=other)
        return Problem(capital(text), rate, calculate("The change over the first, in percent", "({0} - {1}) * 100 / {2}" if not down else "({0} - {1}) * 100 / {2}", *((other, base, base) if not down else (base, other, base))))
    if kind in ("sale", "saved", "tax", "taxonly"):
        base = Decimal(base) if d.some(0.8) else d.money(90, 1.0)
        part = base * rate / 100
        frames = {"sale": SALE, "saved": SAVED, "tax": TAX, "taxonly": TAX_ONLY}[kind]
        text = capital(d.frame(frames, a=show(base), **slots))
        if kind in ("saved", "taxonly"):
            return Problem(text, part, calculate("Take the percentage", "{0} * {1} / 100", rate, base))
        up = kind == "tax"
        return Problem(distract(d, p, text, 0.04), base + part if up else base - part, calculate(f"{'Add' if up else 'Take off'} the percentage", "{0} * (100 %s {1}) / 100" % ("+" if up else "-"), base, rate))
    if rate >= 95:
        return None
    now = Decimal(base) * (100 - rate if kind == "before" else 100 + rate) / 100
    return Problem(capital(d.frame(BEFORE if kind == "before" else BEFORE_UP, a=show(now), **slots)), base, calculate("The whole from its part", "{0} * 100 / (100 %s {1})" % ("-" if kind == "before" else "+"), now, rate))


WAGE = ("{s} earns {a} an hour and works {n} hours. How much [does|did] {he} earn?", "{s} works {n} hours at {a} [an hour|per hour]. [What|How much] does {he} [earn|get]?", "at {a} per hour, how much [is|are|do you earn in] {n} hours?", "{s} gets {a} an hour. How much for {n} hours [of work|]?", "hourly wage {a}, {n} hours: [pay|how much]?", "how much does {s} earn in {n} hours at {a} [an hour|per hour|/h]?", "a [plumber|tutor|driver|cleaner] charges {a} an hour. [What do|How much do] {n} hours cost?",
    "what [does|would] {s} earn for {n} hours at {a} [an hour|per hour]?", "pay: {a} an hour. Hours: {n}. [Total pay|Earnings]?", "[I wonder|Can you tell me] how much {n} hours of work pay at {a} an hour.",
    "{s} is paid {a} for each hour. What is {his} pay for {n} hours?",
    "{n} hours of work, {a} for each hour: what is the total pay?")
WAGE_DAYS = ("{s} earns {a} an hour and works {n} hours a day[ for|,] {m} days[| a week]. How much [is that|does {he} earn] [in all|in a week|]?", "{s} works {n} hours a day on {m} days for {a} an hour. [What|How much] does {he} earn?", "{m} days of {n} hours at {a} an hour: how much [pay|money]?",
    "for {m} days {s} works {n} hours a day. The pay is {a} per hour. How much is it in all?", "what does {s} earn in {m} days, working {n} hours a day at {a} an hour?",
    "pay {a} an hour, {n} hours a day, {m} days: total?")
WAGE_PLUS = ("a [plumber|driver|cleaner|repairman|taxi] charges {b} [plus|and] {a} [an hour|per hour]. How much [is it|do you pay|is the bill] for {n} hours?", "{s} [rents|hires] a [bike|boat|car] for {b} plus {a} an hour. What do {n} hours cost?", "a [taxi|phone plan|gym] costs {b} [plus|and] {a} [for each|per|for every] visit. What do {n} visits cost?",
    "[a mechanic|an electrician|a painter] asks {b} for coming and {a} for every hour. What do {n} hours cost in all?", "what is the bill for {n} hours if there is a fixed fee of {b} and each hour costs {a}?",
    "fixed fee {b}, then {a} per hour. How much for {n} hours?")
RATE = ("{s} earned {t} for {n} hours. [How much is that an hour|What is {his} hourly wage|How much per hour]?", "{s} [works|worked] {n} hours and gets {t}. What is the pay per hour?", "{t} for {n} hours of work is how much [an hour|per hour]?",
    "how much does {s} earn per hour if {n} hours pay {t}?", "for {n} hours of work {s} was paid {t}. What is that per hour?",
    "pay {t}, hours {n}: hourly rate?")
SAVE = ("{s} saves {a} [a|every|each] {w}. How much in {n} {w}s?", "{s} saves {a} a {w}. How many {w}s [does it take|until {he} has|are needed] to [save|get] {t}?", "{s} {has} {b} and saves {a} a {w}. How much does {he} have after {n} {w}s?", "{s} wants a bike for {t} and saves {a} a {w}. How many {w}s does it take?",
    "every {w} {s} puts {a} aside. How much is that after {n} {w}s?", "how many {w}s must {s} save {a} a {w} to have {t}?", "{s} starts with {b} and puts {a} in a jar every {w}. How much is there after {n} {w}s?")
INTEREST = ("[{b} is put|{s} puts {b}] in a bank at {p}% [simple interest|interest] [a year|per year]. How much interest [is that|does {he} get] [in|after] {n} years?", "simple interest on {b} at {p}% for {n} years?", "[find|what is|calculate] the simple interest on {b} at {p}% [per year|a year] for {n} years[?|]", "{s} borrows {b} at {p}% simple interest. [How much interest|What interest] [is due|does {he} pay] after {n} years?",
    "how much simple interest does {b} earn in {n} years at {p}% [a year|per year]?", "{b} is lent for {n} years at {p}% simple interest a year. How much interest is that?", "principal {b}, rate {p}% a year, time {n} years: simple interest?")
INTEREST_ALL = ("{b} grow[s|] at {p}% [compound interest|a year, compounded yearly,|] for {n} years. How much is it then?", "[{s} invests|invest] {b} at {p}% compound interest. [What is it worth|How much is there] after {n} years?", "what is {b} worth after {n} years at {p}% compound interest?",
    "how much does {b} become in {n} years at {p}% compound interest a year?", "{s} puts {b} in an account with {p}% compound interest a year. How much is in it after {n} years?",
    "{b}, {n} years, {p}% compound interest a year: final amount?")


def wages(d):
    p = person(d)
    if p.me:
        p.who, p.he, p.his, p.me = "Leila", "she", "her", False
    cur = d.situation(CURRENCY)
    show = lambda v: price(d, v, cur)
    a, b, n, m = d.money(40, 0.3), d.money(80, 0.1), d.rng.randint(2, 40), d.rng.randint(2, 6)
    slots = dict(p.slots(d), n=d.say(n), m=d.say(m), w=d.one("week", "month", "day", "year"))
    kind = d.rng.randrange(8)
    if kind <= 1:
        return Problem(capital(distract(d, p, d.frame(WAGE, a=show(a), **slots))), a * n, calculate("Multiply", "{0} * {1}", a, n))
    if kind == 2:
        n = d.rng.randint(2, 10)
        slots["n"] = n
        return Problem(capital(d.frame(WAGE_DAYS, a=show(a), **slots)), a * n * m, calculate("Multiply", "{0} * {1} * {2}", a, n, m))
    if kind == 3:
        return Problem(capital(d.frame(WAGE_PLUS, a=show(a), b=show(b), **slots)), b + a * n, calculate("Multiply and add", "{0} + {1} * {2}", b, a, n))
    if kind == 4:
        return Problem(capital(d.frame(RATE, t=show(a * n), **slots)), a, calculate("Divide", "{0} / {1}", a * n, n))
    if kind == 5:
        a = Decimal(d.rng.randint(2, 60))
        text = d._pick(SAVE, d.frames)
        d.held_frame |= held(text)
        out = capital(d.fill(text, a=show(a), t=show(a * n), b=show(b), **slots))
        if "{t}" in text:
            return Problem(out, n, calculate("Divide", "{0} / {1}", a * n, a))
        if "{b}" in text:
            return Problem(out, b + a * n, calculate("Multiply and add", "{0} + {1} * {2}", b, a, n))
        return Problem(out, a * n, calculate("Multiply", "{0} * {1}", a, n))
    base, rate, years = d.rng.randint(1, 50) * 100, d.rng.randint(1, 12), d.rng.randint(1, 6)
    slots.update(n=d.say(years), p=rate)
    if kind == 6:
        return Problem(capital(d.frame(INTEREST, b=show(base), **slots)), Decimal(base) * rate * years / 100, calculate("A year's interest, all years", "{0} * {1} / 100 * {2}", base, rate, years))
    years = min(years, 3)
    slots["n"] = years
    return Problem(capital(d.frame(INTEREST_ALL, b=show(base), **slots)), Decimal(base) * (100 + rate) ** years / 100**years, ("Interest on interest", (f"x = Decimal('{base}') * (100 + {rate}) ** {years} / 100 ** {years}", SHOW)))


TOPICS = ((shopping, 12), (percent, 16), (wages, 6))
