"""Simple probability and counting."""
import math
from fractions import Fraction

from .grammar import Problem, held, listing
from .people import Person, capital

COLOURS = "red blue green yellow white black orange purple pink brown grey silver".split()
OBJECTS = ("balls", "marbles", "beads", "sweets", "socks", "pens", "cards", "tokens", "buttons", "apples", "candies", "stones", "shirts", "cubes", "discs", "counters")
HOLDERS = ("bag", "box", "jar", "urn", "drawer", "hat", "basket", "bowl", "sack")
ASKP = "[what is|find|calculate|give|what's] the [probability|chance|likelihood]"
BAG = ("a {h} [has|contains|holds] {l} {o}. [One is drawn at random.|] " + ASKP + " [of drawing|of picking|of getting|that one drawn is|for] [a {c} one|{c}][?|.]", "there are {l} {o} in a {h}. " + ASKP + " [of drawing|of picking] a {c} one[?|]", "from a {h} with {l} {o} one is [drawn|taken|picked] [at random|]. [" + "How likely is it" + "|What is the probability] that it is {c}?",
       "[a {h} of|] {l} {o}: [probability|chance] of {c}?", ASKP + " [of picking|to draw] a {c} one from a {h} [with|of] {l} {o}[?|]", "{s} [draws|picks|takes] one of {l} {o} [from a {h}|]. " + ASKP + " that it is {c}[?|]",
    "[I put|we put|someone puts] {l} {o} into a {h} and [draw|take out|pull out] one without looking. " + ASKP + " that it is {c}[?|]", "{l} {o} are in a {h}. If one is [taken|drawn] at random, what is the [chance|probability] [of {c}|that it is {c}]?", "how likely is [a {c} one|it to draw {c}] from a {h} [with|of|holding] {l} {o}?", "[work out|determine|tell me] the [probability|chance] of [drawing|pulling out|taking] a {c} one from a {h} of {l} {o}[.|]", "{h} with {l} {o}, one drawn: P({c})?", "a {h} holds {l} {o}. {s} takes one without looking. How likely is {c}?", "I wonder how likely it is to get {c} from a {h} of {l} {o}.")
NOT = ("a {h} [has|contains|holds] {l} {o}. " + ASKP + " [of not drawing|that one drawn is not|of drawing one that is not] {c}[?|]", "there are {l} {o} in a {h}. " + ASKP + " that one [drawn|picked] is not {c}[?|]",
    "how likely is it not to draw {c} from a {h} of {l} {o}?", "[work out|determine] the [probability|chance] of any colour but {c} when one of {l} {o} is drawn[.|]", "from a {h} of {l} {o} one is taken at random. How likely is it that it is not {c}?", "{l} {o}, one is drawn: [probability|chance] that it is not {c}?")
EITHER = ("a {h} [has|contains] {l} {o}. " + ASKP + " [of drawing|that one is] {c} or {e}[?|]", "there are {l} {o} in a {h}. How likely is [it to draw|drawing] {c} or {e}?",
    "[work out|determine] the [probability|chance] of drawing a {c} or a {e} one from a {h} of {l} {o}[.|]", "one of {l} {o} is [picked|drawn] at random. " + ASKP + " that it is {c} or {e}[?|]", "{h} with {l} {o}: [chance|probability] of {c} or {e}?")
BOTH = ("a {h} [has|contains] {l} {o}. Two are drawn without [replacement|putting back]. " + ASKP + " that both are {c}[?|]", "from a {h} with {l} {o} two are taken at once. How likely is it that both are {c}?", ASKP + " of drawing two {c} ones in a row, without replacement, from a {h} with {l} {o}[?|]",
    "{s} takes two {o} out of a {h} with {l} {o}, without putting the first back. " + ASKP + " that both are {c}[?|]", "two of {l} {o} are [picked|drawn] at random without replacement. How likely is it that both are {c}?", "[work out|determine] the [probability|chance] that two {o} drawn together from {l} {o} are both {c}[.|]")
DIE = ((ASKP + " [of rolling|to roll|of throwing|of getting] {e} [with|on] [a|one|a fair|a normal] [die|dice][?|.]", 0), ("a [fair|normal|] die is [rolled|thrown]. " + ASKP + " [of|to get|of getting] {e}[?|]", 0), ("how likely is [it to roll|] {e} [with|on] a die?", 0), ("[probability|chance] of {e} on a [six-sided|] die[?|]", 0), ("{s} rolls a die. " + ASKP + " [that it shows|of] {e}[?|]", 0),
    ("[work out|determine|tell me] the [probability|chance] of [rolling|throwing] {e} with one die[.|]", 0), ("you [roll|throw] a [fair|] die [once|]. How likely is {e}?", 0), ("what are the chances of {e} [when rolling a die|on one roll of a die]?", 0), ("one roll of a die: [probability|chance] of {e}?", 0), ("I wonder how likely it is to roll {e} with a die.", 0))
EVENTS = (("a six", "x == 6"), ("a 1", "x == 1"), ("an even number", "x % 2 == 0"), ("an odd number", "x % 2 == 1"), ("more than 4", "x > 4"), ("a number greater than 2", "x > 2"), ("less than 3", "x < 3"), ("a 5 or a 6", "x in (5, 6)"), ("a prime number", "x in (2, 3, 5)"), ("a three", "x == 3"), ("at least 5", "x >= 5"), ("at most 2", "x <= 2"), ("a multiple of 3", "x % 3 == 0"), ("not a six", "x != 6"), ("a 4", "x == 4"), ("a number less than 5", "x < 5"),
          ("a number bigger than 3", "x > 3"), ("a two", "x == 2"), ("a number that is not 2", "x != 2"), ("1 or 2", "x in (1, 2)"))
DICE2 = (ASKP + " that two dice [show|give|have] [a sum of|the sum|together] {n}[?|]", "two dice are [rolled|thrown]. " + ASKP + " [that the sum is|of a sum of|of a total of] {n}[?|]", "how likely is a [sum|total] of {n} with two dice?",
    "[work out|determine] the [probability|chance] of rolling a [sum|total] of {n} with two dice[.|]", "you roll two dice and add [them|the numbers]. How likely is {n}?", "[a pair of|two] dice, sum {n}: [probability|chance]?", "what are the chances that two dice add up to {n}?")
DOUBLE = (ASKP + " of [a double|two sixes|the same number twice] with two dice[?|]", "two dice are rolled. " + ASKP + " [of a double|that both are six|of two sixes|that they show the same][?|]",
    "how likely [are two sixes|is a double|is the same number twice] with two dice?", "two dice are thrown. How likely is it that [both show six|both show the same number]?", "what are the chances of [two sixes|a double] when two dice are rolled?")
COINS = ((ASKP + " of [getting|tossing|throwing|] [exactly|] {k} heads [in|with|on] {n} [coin tosses|tosses of a coin|coins|flips][?|]", "k"), ("a coin is [tossed|flipped|thrown] {n} times. " + ASKP + " of [exactly|] {k} heads[?|]", "k"), ("{n} coins are [tossed|flipped]. " + ASKP + " that all [are|show] [heads|tails][?|]", "all"), ("a coin is tossed {n} times. How likely [are|is it to get] {n} [heads|tails] [in a row|]?", "all"), (ASKP + " of [heads|tails] [with|on] [a|one] [coin|coin toss][?|]", "one"),
         ("a coin is flipped {n} times. " + ASKP + " of at least one [head|tail][?|]", "least"),
    ("{n} coins are [tossed|flipped]. " + ASKP + " of exactly {k} heads[?|]", "k"), ("[work out|determine] the [probability|chance] of exactly {k} [heads|tails] in {n} [tosses|flips] of a coin[.|]", "k"), ("you [toss|flip] a coin {n} times. How likely are exactly {k} heads?", "k"), ("how likely is it that {n} [coins|tossed coins] all [land|come up] [heads|tails]?", "all"), ("a coin is [flipped|thrown] {n} times. " + ASKP + " that it is [heads|tails] every time[?|]", "all"), ("you [toss|flip] a coin once. How likely is it [heads|tails]?", "one"), ("how likely is at least one [head|tail] in {n} [tosses of a coin|coin flips]?", "least"))
CARDS = ((ASKP + " of drawing {e} from [a|a normal|a full] deck [of 52 cards|of cards][?|]",), ("one card is drawn from [a|a standard] deck [of 52|of 52 cards]. " + ASKP + " [of|that it is] {e}[?|]",), ("how likely is {e} [from|out of] a deck of 52 cards?",),
    ("you [draw|take|pick] one card from a [full|standard|] deck of 52. How likely is {e}?",), ("[work out|determine] the [probability|chance] of [picking|drawing|pulling] {e} from a deck of 52 cards[.|]",), ("52 cards, one is drawn: [probability|chance] of {e}?",), ("what are the chances of drawing {e} from a [full|standard] deck of cards?",))
CARD = (("an ace", 4), ("a king", 4), ("a queen", 4), ("a heart", 13), ("a spade", 13), ("a red card", 26), ("a black card", 26), ("a face card", 12), ("the ace of spades", 1), ("a seven", 4), ("a diamond", 13), ("a club", 13), ("a jack", 4), ("a ten", 4), ("a black king", 2), ("a red queen", 2))
PICK = (ASKP + " that a [number|whole number] [picked|chosen] from 1 to {n} is {e}[?|]", "a number from 1 to {n} is [chosen|picked] at random. " + ASKP + " that it is {e}[?|]", "{n} [tickets|cards] are numbered 1 to {n}. One is drawn. How likely is it {e}?",
    "how likely is it that a [random|] whole number from 1 to {n} is {e}?", "[work out|determine] the [probability|chance] that a random number from 1 to {n} is {e}[.|]", "cards are numbered from 1 to {n} and one is [picked|drawn]. " + ASKP + " that its number is {e}[?|]")
LOTS = ("{k} of {n} [tickets|lots|boxes] win. " + ASKP + " [of winning|to win] with one[?|]", "[in a class of|there are] {n} [students|children|people][, {k} of them| and {k}] [are girls|wear glasses|have a dog]. One is [picked|chosen] at random. " + ASKP + " that it is one of [them|these][?|]", "{k} out of {n} [bulbs|eggs|parts] are [bad|broken]. " + ASKP + " that one [picked|chosen] [at random|] is [bad|broken][?|]",
    "of {n} [tickets|lots] {k} are winners. You [buy|draw] one. How likely are you to win?", "there are {n} [tickets|envelopes] and {k} of them win. " + ASKP + " that one [picked|drawn] at random wins[?|]", "{k} of the {n} [bulbs|apples|eggs] in a box are bad. One is taken at random. How likely is it [a bad one|bad]?", "{n} [tickets|lots], {k} winners: [chance|probability] of winning with one?")
SPIN = ("a spinner has {n} equal [parts|sectors], {k} of them {c}. " + ASKP + " [of|that it stops on] {c}[?|]", "{k} of {n} [fields|sectors] of a wheel are {c}. How likely is {c}?",
    "a wheel has {n} equal [fields|parts] and {k} of them are {c}. " + ASKP + " that it stops on {c}[?|]", "a spinner with {n} equal [sectors|parts] has {k} {c} ones. How likely is it to [stop|land] on {c}?")


def probability(d):
    p = Person(d)
    s = "Tara" if p.me else p.who
    kind = d.rng.choice(["bag", "bag", "bag", "not", "either", "both", "die", "die", "die", "dice2", "double", "coin", "coin", "card", "card", "pick", "lots", "spin"])
    if kind in ("bag", "not", "either", "both"):
        n = d.rng.randint(2, 4) if kind != "either" else d.rng.randint(3, 4)
        colours, counts = d.rng.sample(COLOURS, n), [d.rng.randint(1, 12) for _ in range(n)]
        said = listing([f"{k} {c}" for k, c in zip(counts, colours)])
        slots = dict(h=d.situation(HOLDERS), o=d.situation(OBJECTS), l=said, c=colours[0], e=colours[1], s=s)
        i = d.rng.randrange(n)
        slots["c"] = colours[i]
        j = (i + 1) % n
        slots["e"] = colours[j]
        total = " + ".join(map(str, counts))
        if kind == "bag":
            return Problem(capital(d.frame(BAG, **slots)), Fraction(counts[i], sum(counts)), (f"{colours[i]} over all", (f"print(Fraction({counts[i]}, {total}))",)))
        if kind == "not":
            return Problem(capital(d.frame(NOT, **slots)), 1 - Fraction(counts[i], sum(counts)), (f"1 less {colours[i]} over all", (f"print(1 - Fraction({counts[i]}, {total}))",)))
        if kind == "either":
            return Problem(capital(d.frame(EITHER, **slots)), Fraction(counts[i] + counts[j], sum(counts)), (f"{colours[i]} and {colours[j]} over all", (f"print(Fraction({counts[i]} + {counts[j]}, {total}))",)))
        if counts[i] < 2:
            return None
        return Problem(capital(d.frame(BOTH, **slots)), Fraction(math.comb(counts[i], 2), math.comb(sum(counts), 2)), ("Good pairs over all pairs", (f"print(Fraction(comb({counts[i]}, 2), comb({total}, 2)))",)))
    if kind == "die":
        e, test = d.situation(EVENTS)
        text = d.frame([t for t, _ in DIE], e=e, s=s)
        return Problem(capital(text), Fraction(sum(eval(test) for x in range(1, 7)), 6), ("Good faces over 6", (f"n = sum({test} for x in range(1, 7))", "print(Fraction(n, 6))")))
    if kind == "dice2":
        n = d.rng.randint(2, 12)
        return Problem(capital(d.frame(DICE2, n=n)), Fraction(6 - abs(7 - n), 36), ("Good pairs over 36", (f"n = sum(x + y == {n} for x in range(1, 7) for y in range(1, 7))", "print(Fraction(n, 36))")))
    if kind == "double":
        text = d.frame(DOUBLE)
        six = "six" in text
        return Problem(capital(text), Fraction(1 if six else 6, 36), ("Good pairs over 36", (f"print(Fraction({1 if six else 6}, 36))",)))
    if kind == "coin":
        text, what = d._pick(COINS, d.frames)
        d.held_frame |= held((text, what))
        n = d.rng.randint(2, 6)
        k = d.rng.randint(1, n)
        text = capital(d.fill(text, n=d.say(n), k=d.say(k)))
        good = {"k": math.comb(n, k), "all": 1, "one": 1, "least": 2**n - 1}[what]
        line = {"k": f"print(Fraction(comb({n}, {k}), 2 ** {n}))", "all": f"print(Fraction(1, 2 ** {n}))", "one": "print(Fraction(1, 2))", "least": f"print(1 - Fraction(1, 2 ** {n}))"}[what]
        return Problem(text, Fraction(good, 2 if what == "one" else 2**n), ("Good rows over all rows", (line,)))
    if kind == "card":
        e, n = d.situation(CARD)
        return Problem(capital(d.frame([c[0] for c in CARDS], e=e)), Fraction(n, 52), (f"{n} of 52", (f"print(Fraction({n}, 52))",)))
    if kind == "pick":
        n = d.one(10, 20, 30, 50, 100, d.rng.randint(6, 60))
        k = d.rng.randint(2, 7)
        e, test = d.one(("even", "x % 2 == 0"), ("odd", "x % 2 == 1"), (f"a multiple of {k}", f"x % {k} == 0"), (f"divisible by {k}", f"x % {k} == 0"), (f"greater than {k}", f"x > {k}"), (f"less than {k}", f"x < {k}"), (f"at most {k}", f"x <= {k}"))
        return Problem(capital(d.frame(PICK, n=n, e=e)), Fraction(sum(bool(eval(test)) for x in range(1, n + 1)), n), ("Good numbers over all", (f"n = sum({test} for x in range(1, {n} + 1))", f"print(Fraction(n, {n}))")))
    n = d.rng.randint(4, 60)
    k = d.rng.randint(1, n - 1)
    return Problem(capital(d.frame(LOTS if kind == "lots" else SPIN, n=n, k=k, c=d.one(*COLOURS))), Fraction(k, n), ("Good over all", (f"print(Fraction({k}, {n}))",)))


ARRANGE = ("[in how many ways|how many ways are there to] can {n} [people|books|children|pictures|students] [be arranged|stand|be put|sit] in a [row|line][?|]", "in how many [ways|orders] can [{n} books be put on a shelf|{n} people stand in a line|{n} runners finish|{n} letters be arranged]?", "how many [orders|arrangements|permutations] of {n} [things|books|letters|people] are there?", "{n} [people|children|cars] in a row: how many orders?",
    "[work out|find] the number of [orders|ways] in which {n} [people|books|cars] can [stand|be lined up] in a row[.|]", "{n} [children|people] [line up|queue up|stand in a row]. In how many [ways|orders] can they do that?", "how many ways are there to [line up|arrange] {n} [books|people|different letters] in a row?", "in what number of orders can {n} [runners|riders] finish, with no ties?")
CHOOSE = ("[in how many ways|how many ways are there to] can [you|one|we] choose {k} [of|from|out of] {n} [people|books|things|players|students]?", "how many [teams|groups|committees|sets] of {k} can be [made|formed|chosen] from {n} [people|players|students]?", "[choose|pick] {k} out of {n}: how many ways?", "how many ways to [pick|choose] {k} [cards|books|toppings|friends] from {n}?", "{n} choose {k}[?|]", "how many different [pairs|groups] of {k} [are there in|can be made of] {n} [people|things]?",
    "[work out|find] the number of ways to choose {k} from {n}[.|]", "{k} of {n} [people|players|students] are chosen for a team. In how many ways [can this be done|is that possible]?", "how many ways are there to [select|choose|pick] {k} [people|books|things] out of {n}, if order does not matter?", "from {n} [people|students] a group of {k} is formed. How many groups are possible?")
PICK_ORDER = ("in how many ways can {n} [runners|people|teams] take the first {k} places?", "[a president and a vice president|a first and a second prize|a captain and a keeper] are chosen from {n} [people|players]. [In how many ways|How many ways]?", "how many [{k}-letter words|codes of {k} different letters] can be made from {n} [different|] letters without [repetition|repeating]?",
    "a chair and a vice chair are chosen from {n} people. How many ways are there?", "{n} runners race for the first {k} places. How many results are possible for those places?", "how many ways are there to fill the first {k} places in a race of {n} [runners|horses]?")
HANDS = ("{n} [people|friends|guests|players] [all shake hands|shake hands with each other|each shake hands once]. How many handshakes [are there|is that|]?", "how many handshakes [are there|] [among|between|if] {n} people [all shake hands|]?", "{n} teams play each other once. How many [games|matches] [are there|is that]?", "everyone of {n} [players|teams] plays everyone else once. How many games?", "how many [lines|segments] join {n} points, no three in a line?",
    "[at a party|in a room] {n} people each shake hands with everyone else once. How many handshakes?", "[work out|find] the number of handshakes when {n} [people|friends] all shake hands once[.|]", "{n} players each play every other player once. How many [games|matches] [is that|are played]?", "each of {n} teams meets each other team once. How many matches?")
OUTFITS = ("{s} has {a} {x} and {b} {y}. How many [different|] [outfits|combinations|pairs] [are there|are possible|can {he} make]?", "{a} {x} and {b} {y}: how many combinations?", "how many [different|] [outfits|combinations|choices] are there with {a} {x} and {b} {y}?", "a menu has {a} {x}, {b} {y} and {c} {z}. How many [different|] [meals|menus|choices] [are possible|are there]?", "a menu offers {a} {x}, {b} {y} and {c} {z}. [In how many ways can one choose one of each|How many meals]?",
    "with {a} {x} and {b} {y}, how many [different|] [combinations|choices] of one of each are there?", "[work out|find] the number of ways to choose one of {a} {x} and one of {b} {y}[.|]", "{s} picks one of {a} {x} and one of {b} {y}. In how many ways can {he} do that?", "one can choose from {a} {x}, {b} {y} and {c} {z}, one of each. How many [combinations|choices]?")
CLOTHES = (("shirts", "trousers", "hats"), ("skirts", "blouses", "scarves"), ("starters", "main dishes", "desserts"), ("jackets", "shirts", "ties"), ("soups", "salads", "drinks"), ("caps", "T-shirts", "shorts"), ("breads", "cheeses", "sauces"), ("frames", "colours", "sizes"), ("sandwiches", "juices", "fruits"))
CODES = ("how many [{k}-digit codes|codes of {k} digits|{k}-digit PINs] are there[ with the digits 0 to 9|]?", "a lock has {k} [wheels|rings] with {n} [digits|letters] each. How many [codes|settings] are [there|possible]?", "how many [numbers|codes] of {k} digits can be made [with|from] the digits 1 to {n} [if digits may repeat|with repetition]?", "a test has {k} questions with {n} choices each. How many ways to [answer|fill it in]?", "a coin is tossed {k} times. How many [outcomes|results] are [there|possible]?", "{k} dice are rolled. How many outcomes are [there|possible]?",
    "[work out|find] the number of [{k}-digit codes|codes of {k} digits], each digit 0 to 9[.|]", "how many different outcomes are there when a coin is [tossed|flipped] {k} times?", "how many outcomes are there when {k} dice are thrown?", "each of {k} questions has {n} possible answers. In how many ways can a test be filled in?")


def counting(d):
    p = Person(d)
    s, he = ("Ivan", "he") if p.me else (p.who, p.he)
    kind = d.rng.choice(["arr", "arr", "choose", "choose", "order", "hands", "hands", "outfits", "outfits", "codes"])
    n = d.rng.randint(3, 10)
    if kind == "arr":
        return Problem(capital(d.frame(ARRANGE, n=d.say(n))), math.factorial(n), ("All orders", (f"print(factorial({n}))",)))
    if kind == "choose":
        n = d.rng.randint(4, 15)
        k = d.rng.randint(2, min(5, n - 1))
        text = d.frame(CHOOSE, n=n, k=d.say(k))
        if "pairs" in text:
            text = text.replace("pairs of", "groups of")
        return Problem(capital(text), math.comb(n, k), ("Choices without order", (f"print(comb({n}, {k}))",)))
    if kind == "order":
        text = d._pick(PICK_ORDER, d.frames)
        d.held_frame |= held(text)
        k = 2 if "vice" in text else d.rng.randint(2, 3)
        return Problem(capital(d.fill(text, n=n, k=k)), math.perm(n, k), ("Choices in order", (f"print(perm({n}, {k}))",)))
    if kind == "hands":
        n = d.rng.randint(3, 20)
        return Problem(capital(d.frame(HANDS, n=d.say(n))), math.comb(n, 2), ("Every pair once", (f"print(comb({n}, 2))",)))
    if kind == "outfits":
        x, y, z = d.situation(CLOTHES)
        a, b, c = (d.rng.randint(2, 9) for _ in "abc")
        text = d.frame(OUTFITS, s=s, he=he, x=x, y=y, z=z, a=d.say(a), b=d.say(b), c=d.say(c))
        three = z in text
        return Problem(capital(text), a * b * (c if three else 1), ("Multiply the choices", (f"print({a} * {b}{f' * {c}' if three else ''})",)))
    text = d._pick(CODES, d.frames)
    d.held_frame |= held(text)
    k = d.rng.randint(2, 6)
    n = 2 if "coin" in text else 6 if "dice" in text else d.rng.randint(2, 9) if "{n}" in text else 10
    return Problem(capital(d.fill(text, n=n, k=k)), n**k, (f"{n} choices each time", (f"print({n} ** {k})",)))


TOPICS = ((probability, 9), (counting, 6))
