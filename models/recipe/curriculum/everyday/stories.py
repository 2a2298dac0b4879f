"""Stories about things: getting and giving, groups, sharing, comparing, ages, two unknowns, proportions, averages."""
from decimal import Decimal
from fractions import Fraction

from . import people
from .grammar import SHOW, Problem, calculate, listing, plain
from .people import COUNTED, CROWDS, PLACES, Person, capital, distract

# (what happens, sign)
GETS = ("{e} bought {n} more", "{e} found {n} [more|others]", "{e} got {n} [more|new ones] [from {q}|for {his} birthday|as a present|]", "{q} gave {him} {n} [more|]", "{e} won {n}", "{e} picked {n} more", "{e} [collected|received|was given] {n} more", "{e} made {n} more",
        "{e} added {n}", "{e} ordered {n} more", "{n} more were delivered", "{e} borrowed {n} from {q}", "{e} took {n} more",
    "{e} came across {n} [more|others]", "{e} [bought|purchased|acquired] another {n}", "another {n} [arrived|came in|turned up|were added]", "{q} handed {him} {n} more", "{q} [sent|brought|lent] {him} {n} more", "{e} was [handed|sent] {n} more", "{e} picked up {n} more [at the shop|on the way|]", "{n} more [came|were put in|were bought]")
GIVES = ("{e} gave {n} [of them|] to {q}", "{e} lost {n} [of them|]", "{e} sold {n} [of them|]", "{e} gave away {n}", "{e} broke {n}", "{e} used {n} [of them|]", "{e} threw away {n}", "{e} [dropped|returned|sent back] {n}", "{q} took {n} [of them|]", "{n} [of them|] [got lost|were stolen|went bad|broke]",
         "{e} handed {n} to {q}", "{e} donated {n}", "{e} shared {n} with {q}",
    "{e} passed {n} on to {q}", "{e} let {q} have {n} [of them|]", "{n} [of them|] were [given away|sold|thrown out|handed out|taken away]", "{q} [got|received|was given] {n} of them", "{e} [got rid of|parted with|gave up|spent|used up] {n} [of them|]", "{e} had to give {n} back", "{n} of them [disappeared|vanished|went missing]", "{e} lent {n} to {q}", "{e} sent {n} [of them|] to {q}")
HAVE = ("{s} had {a} {t}[.|,]", "{s} started with {a} {t}[.|,]", "{s} owned {a} {t}[.|,]", "there were {a} {t} in {s}'s [bag|room|box|shop|house|garden][.|,]", "{s} [bought|collected|found|made|counted] {a} {t}[.|,]", "at first {s} had {a} {t}[.|,]", "{s} had a [box|bag|pile] of {a} {t}[.|,]",
    "{s} began with {a} {t}[.|,]", "to begin with {s} had {a} {t}[.|,]", "[this morning|yesterday|last week|on Monday] {s} had {a} {t}[.|,]", "{s} had a collection of {a} {t}[.|,]", "{s} had [exactly|just|got] {a} {t}[.|,]", "{s} brought {a} {t}[.|,]")
NOW = ("[How many|How many] {t} [does|did] {s} have [now|left|in the end|at the end|]?", "How many {t} [are left|are there now|remain|are there in the end]?", "How many [does|did] {he} have [now|left|then]?", "[What is the number of {t} now|Find the number of {t} [at the end|that are left|now]][?|]", "[How many now|How many {t} now|How many left]?",
    "[Work out|Calculate|Tell me|Say] how many {t} [are left|there are now|remain][.|]", "I wonder how many {t} [are left|that leaves|remain][.|]", "What number of {t} [remains|is left]?", "[And now|So now], how many {t}?", "How many {t} [is that now|does that leave|are left over|will there be then]?", "{t} [left|now|in the end]?", "[Can you tell|Do you know] how many {t} there are [now|in the end]?")


def him(person):
    return {"he": "him", "she": "her", "it": "it", "I": "me"}[person.he]


def changes(d):
    """Getting and giving, one to four times."""
    p, t = Person(d), d.situation(COUNTED)
    q = d.one(*(n for n in ("Max", "Lena", "a friend", "the neighbours", "Omar", "Rosa", "the class", "Emma", "Victor", "a cousin") if n != p.who))
    n_events = d.one(1, 1, 2, 2, 3)
    total = d.int(10, d.one(30, 100, 900))
    numbers, expression, parts = [total], "{0}", []
    level = total
    said = p.who
    for i in range(n_events):
        up = d.some(0.45)
        n = d.int(1, level - 1) if not up and level > 1 else d.int(1, total + 10)
        up = up or level <= 1
        frame = d.frame(GETS if up else GIVES, e=d.one(p.he, p.he, said) if not p.me else "I", n=d.say(n), q=q, his=p.his, him=him(p))
        parts.append(frame)
        level += n if up else -n
        numbers.append(n)
        expression += f" {'+' if up else '-'} {{{len(numbers) - 1}}}"
    start = d.frame(HAVE, s=said, a=d.say(total), t=t).replace("I's", "my")
    order = d.rng.random()
    joined = d.one(", then ", " and then ", ", after that ", ". Then ", ". Later ") .join(parts) if len(parts) < 3 else ". ".join(parts[:-1]) + d.one(". Then ", ". Finally ", ", and ") + parts[-1]
    slots = dict(t=t, s=p.who, he=p.he)
    question = d.frame(NOW, **slots)
    if p.me:
        question = question.replace("does I", "do I").replace("did I", "do I")
    if order < 0.82:
        text = f"{start.rstrip('.,')}{d.one('. ', '. ', ', then ', ' and ') if n_events == 1 else '. '}{joined}. {question}"
    else:
        question = d.one("How many {t} {v} {s} have left if {b}?", "How many {t} {v} {s} have in the end when {b}?", "Find how many {t} {s} had in the end: {b}.").replace("{t}", t).replace("{v}", "did").replace("{s}", p.he if p.me else p.who)
        text = question.replace("{b}", f"{start.rstrip('.,').replace(p.who, p.he)} and {joined}")
    text = distract(d, p, capital(text))
    return Problem(text, level, calculate("Follow what happens", expression, *numbers))


def crowd(d):
    """People, birds, things that come and go."""
    t, where, came, went = d.situation(CROWDS)
    a = d.int(8, d.one(30, 90))
    events, level, expression, numbers = [], a, "{0}", [a]
    for _ in range(d.one(1, 2, 2, 3)):
        up = d.some(0.45) or level < 2
        n = d.int(1, 30) if up else d.rng.randint(1, level - 1)
        level += n if up else -n
        numbers.append(n)
        expression += f" {'+' if up else '-'} {{{len(numbers) - 1}}}"
        events.append(f"{d.say(n)} {d.one('more ', '') if up else d.one('of them ', '')}{came if up else went}")
    start = d.frame(("there are {a} {t} {w}", "there were {a} {t} {w}", "{a} {t} were {w}", "{w} there were {a} {t}", "we counted {a} {t} {w}", "{a} {t} {w}",
    "[at first|to begin with|in the beginning] there were {a} {t} {w}", "{a} {t} could be seen {w}", "one could see {a} {t} {w}", "the number of {t} {w} was {a}"), a=a, t=t, w=where)
    ask = d.frame(("how many {t} are {w} now", "how many {t} are there now", "how many are left", "how many {t} remain {w}", "how many are {w} then", "what is the number of {t} now", "how many {t} [is that|are that] now",
    "how many {t} does that make", "how many {t} does that leave {w}", "what number of {t} is {w} in the end", "how many {t} are there in the end", "so how many {t} are {w} at the end"), t=t, w=where)
    text = f"{start}{d.one('. ', '. ', '; ')}{d.one('. Then ', ' and ', ', then ', '. Later ').join(events)}. {ask}?" if d.some(0.85) else f"{ask} if {start} and {' and then '.join(events)}?"
    return Problem(capital(distract(d, None, text)), level, calculate("Follow what happens", expression, *numbers))


GROUPS = ("there are {n} {c} with {k} {t} [in each|each|in every one].", "{s} {has} {n} {c} of {k} {t} [each|].", "each of the {n} {c} [holds|has|contains] {k} {t}.", "{n} {c} [hold|have] {k} {t} each.", "a [shop|school|farm|store] has {n} {c}, each with {k} {t}.", "{s} put {k} {t} into each of {n} {c}.",
          "{s} filled {n} {c} with {k} {t} each.", "[one of the|every one of the] {c} [holds|has] {k} {t} and there are {n} {c}.",
    "in each of {n} {c} there are {k} {t}.", "we have {n} {c}, and every one has {k} {t} in it.", "there are {k} {t} in each of the {n} {c}.", "{n} {c} were filled with {k} {t} each.", "{s} bought {n} {c}, each [holding|containing] {k} {t}.", "all {n} {c} [hold|contain] {k} {t} each.", "someone fills {n} {c}, putting {k} {t} in each.")
GROUPS_ASK = ("how many {t} [are there|are that|are there in all|are there altogether|in total]?", "how many {t} [does|did] {s} have [in all|altogether|]?", "[find|what is] the [total|] number of {t}[?|]", "what is the total?", "how many {t} in {n} {c}?",
    "[work out|calculate|tell me] how many {t} there are [altogether|in all|in total].", "I wonder how many {t} [there are in all|that is altogether].", "how many {t} does that make[| altogether| in all]?", "[total number of|number of] {t}?", "what do all the {t} come to?", "[so|] how many {t} are in all the {c}?")
GROUPS_FIRST = ("how many {t} are in {n} {c} [with|of] {k} [each|]?", "how many {t} are there in {n} {c} if [each has|each holds|there are] {k} [in each|]?", "{n} {c}, {k} {t} [each|in each|per one]: how many [{t}|in total]?", "{n} {c} of {k} {t}. [Total|How many {t}]?", "one of the {c} [has|holds] {k} {t}. How many do {n} {c} [have|hold]?",
    "[work out|calculate] how many {t} there are in {n} {c} of {k} each.", "with {k} {t} in each, how many {t} do {n} {c} [hold|have]?", "how many {t} do you get from {n} {c} with {k} in each?", "I need to know how many {t} {n} {c} hold, {k} to each.", "{k} {t} in each of {n} {c} [makes|gives] how many [in all|altogether|]?", "{n} {c} at {k} {t} each - [total|how many {t}]?")


def groups(d):
    p, t, c = Person(d), d.situation(COUNTED), d.situation(PLACES)
    n, k = d.rng.randint(2, d.one(12, 40)), d.rng.randint(2, d.one(12, 60))
    slots = dict(p.slots(d), t=t, c=c, n=d.say(n), k=d.say(k))
    if d.some(0.3):
        text = d.frame(GROUPS_FIRST, **slots)
        return Problem(capital(text), n * k, calculate("Multiply", "{0} * {1}", n, k))
    body = d.frame(GROUPS, **slots)
    ask = d.frame(GROUPS_ASK, **slots).replace("does I", "do I")
    tail, answer, expression, numbers = "", n * k, "{0} * {1}", [n, k]
    r = d.rng.random()
    if r < 0.2:
        m = d.rng.randint(1, n * k - 1)
        tail = d.frame((" {m} [of them|of the {t}] are [broken|red|sold|given away|eaten|used].", " {m} {t} are taken [out|away].", " {m} [of the {t}|] go bad."), m=m, t=t)
        ask = d.frame(("how many {t} are left?", "how many remain?", "how many [{t}|] are still there?", "what is left?"), t=t)
        answer, expression, numbers = answer - m, "{0} * {1} - {2}", [n, k, m]
    elif r < 0.4:
        m = d.int(1, 60)
        tail = d.frame((" {m} [more|loose|other] {t} are [on the table|on the floor|not packed|outside].", " [Another|There are another] {m} {t} are added.", " {m} more {t} [come|are bought]."), m=m, t=t)
        answer, expression, numbers = answer + m, "{0} * {1} + {2}", [n, k, m]
        ask = d.frame(("how many {t} are there in all?", "how many {t} [altogether|in total|are that]?", "find the number of all {t}."), t=t)
    return Problem(capital(distract(d, p, " ".join(x for x in (body, tail, ask) if x))), answer, calculate("Multiply" if len(numbers) == 2 else "Multiply, then add or subtract", expression, *numbers))


SHARE = ("{s} [shared|divided|split] {a} {t} [equally|fairly|evenly] [among|between] {n} [friends|children|people|classmates|cousins].", "{n} [friends|children|people|sisters|players|teams] share {a} {t} [equally|evenly|fairly].", "{a} {t} are [shared|split|divided] [equally|evenly] [among|between] {n} [people|children|kids|families|groups].",
         "{s} {has} {a} {t} for {n} [guests|children|dogs|friends], the same number for each.", "{a} {t} [are packed|are put|go] into {n} {c}, the same number in each.", "{n} {c} hold {a} {t} in all, each the same number.",
    "{a} {t} have to be shared [equally|fairly|evenly] [among|between] {n} [people|children|pupils|neighbours].", "{n} [pupils|kids|brothers|workers] [divide|split] {a} {t} [equally|evenly|fairly].", "someone [deals|hands|gives] out {a} {t} to {n} [players|children|people], the same number to each.", "the teacher gives {a} {t} to {n} [pupils|students], each the same number.", "{a} {t} are dealt out [equally|evenly] to {n} [people|children].")
SHARE_ASK = ("how many [{t}|] does each [one|of them|person|] get?", "how many [{t}|] for each?", "how many [{t}|] [are in each|per one|each]?", "what is one share?", "how many [{t}|] is that [each|per head|for one]?", "how many {t} [go to each|does each receive]?",
    "[work out|calculate|find] how many each one gets.", "how many {t} will each [one|] have?", "I wonder how many each gets.", "what does each [one|] get?", "how many {t} [end up in each share|come to each]?")
SHARE_FIRST = ("how many {t} does each get if {n} [people|children|friends] share {a} [equally|evenly|]?", "{a} {t} for {n} [people|kids], how many each?", "share {a} {t} [equally|] [between|among] {n} [people|friends|kids]. How many each?", "{a} {t} [split|divided] among {n}: how many [each|does each get]?",
    "if {n} [people|pupils|friends] split {a} {t} [equally|evenly], how many does each [get|receive]?", "when {a} {t} are divided [equally|evenly] among {n} [people|children], what does each get?", "[divide|split] {a} {t} [equally|fairly] among {n} [children|people]: how many apiece?", "{n} [children|people] and {a} {t}, shared equally. How many each?")
PACK = ("{s} [packs|puts] {a} {t} into {c} of {k}[| each].", "{s} {has} {a} {t}. {k} fit into one of the {c}.", "each of the {c} holds {k} {t}. {s} {has} {a} {t}.", "{k} {t} go into one of the {c}; there are {a} {t}.", "{a} {t} are packed in {c} of {k}.",
    "{a} {t} have to go into {c} that hold {k} each.", "into each of the {c} go {k} {t}, and there are {a} {t}.", "we have {a} {t} and {c} with room for {k} each.", "each of the {c} takes {k} {t}. There are {a} {t} to pack.")
PACK_ASK = ("how many {c} [are needed|does {s} need|are filled|are that|will there be]?", "how many {c}?", "find the number of {c}.",
    "[work out|calculate] how many {c} [are needed|that makes].", "how many {c} does it take?", "what number of {c} is that?")
LEFT_ASK = ("how many [{t}|] are left [over|]?", "how many [{t}|] remain?", "what is the remainder?", "how many [{t}|] do not fit?",
    "how many [{t}|] are left without a place?", "[work out|calculate] how many are left over.", "how many {t} are over?", "what number of {t} [is left|remains]?")


def sharing(d):
    p, t, c = Person(d), d.situation(COUNTED), d.situation(PLACES)
    n, k = d.rng.randint(2, d.one(9, 25)), d.rng.randint(2, d.one(12, 50))
    kind = d.rng.random()
    slots = dict(p.slots(d), t=t, c=c, n=d.say(n))
    if kind < 0.4:
        text = d.frame(SHARE, a=n * k, **slots) + " " + d.frame(SHARE_ASK, **slots)
        return Problem(capital(distract(d, p, text)), k, ("Divide", (f"print({n * k} // {n})",)))
    if kind < 0.55:
        return Problem(capital(d.frame(SHARE_FIRST, a=n * k, **slots)), k, ("Divide", (f"print({n * k} // {n})",)))
    left = d.rng.randint(1, n - 1) if n > 1 else 0
    slots["k"] = d.say(n)
    slots["s"] = p.who
    if p.me:
        slots["does"] = "do"
    if kind < 0.75:
        text = d.frame(PACK, a=n * k, **slots) + " " + d.frame(PACK_ASK, **slots)
        return Problem(capital(text.replace("does I", "do I").replace("I packs", "I pack").replace("I puts", "I put")), k, ("Divide", (f"print({n * k} // {n})",)))
    if kind < 0.88:
        text = d.frame(SHARE, a=n * k + left, **slots).replace("the same number", "an equal number") + " " + d.frame(LEFT_ASK, **slots)
        return Problem(capital(text), left, ("Take the remainder", (f"print({n * k + left} % {n})",)))
    carry = d.frame(("a [bus|van|boat|lift|minibus] [holds|takes|carries|has room for] {n} [people|children|passengers]. How many [buses|trips|runs|of them] [are needed|does it take|do we need] for {a} [people|children]?",
                     "{a} [people|students|guests] go by [bus|van|taxi|boat] and {n} fit in one. How many are needed?", "one table seats {n}. How many tables are needed for {a} guests?", "how many [tents|rooms|boats] for {n} people each are needed for {a} [people|children|campers]?",
                     "{s} needs {a} {t}. They come in [packs|boxes|bags] of {n}. How many [packs|boxes|bags] must {he} buy?", "a box holds {n} {t}. How many boxes are needed [to hold|for] {a} {t}?",
    "{a} [people|children|guests] have to cross a river in a boat for {n}. How many trips are needed?", "[work out|calculate] how many [cars|buses|vans] with {n} seats are needed for {a} passengers.", "{t} are sold in packs of {n}. How many packs must {s} buy to have {a} {t}?", "how many packs of {n} {t} are needed if {s} needs {a} {t}?"), a=n * k + left, n=n, t=t, s=p.who if not p.me else "Eva", he=p.he if not p.me else "she")
    return Problem(capital(carry), k + 1, ("Divide and round up", (f"print(-(-{n * k + left} // {n}))",)))


COMPARE = (
    ("{s} {has} {a} {t}. {q} has {b} more [than {s}|].", "{a} + {b}", "q"), ("{s} {has} {a} {t}. {q} has {b} fewer [than {s}|].", "{a} - {b}", "q"), ("{s} {has} {a} {t} and {q} has {k} times as many.", "{a} * {k}", "q"), ("{s} {has} {a} {t} and {q} has twice as many.", "{a} * 2", "q"),
    ("{s} {has} {ka} {t} and {q} has half as many.", "{ka} // 2", "q"), ("{q} has {b} more {t} than {s}, who has {a}.", "{a} + {b}", "q"), ("{q} has {b} {t} less than {s}, who has {a}.", "{a} - {b}", "q"), ("{s} {has} {a} {t}, {b} more than {q}.", "{a} - {b}", "q"), ("{s} {has} {a} {t}. That is {b} less than {q} has.", "{a} + {b}", "q"),
    ("{s} {has} {kk} {t}, {k} times as many as {q}.", "{kk} // {k}", "q"), ("{s} {has} {ka} {t}, twice as many as {q}.", "{ka} // 2", "q"), ("{s} {has} {a} {t} and {q} {b}.", "{a} - {b}", "more"), ("{s} {has} {a} {t} and {q} has {b} {t}.", "{a} + {b}", "all"), ("{s} {has} {a} {t}. {q} has {b} more.", "{a} + {a} + {b}", "all"),
    ("{s} {has} {a} {t}. {q} has {b} fewer.", "{a} + {a} - {b}", "all"), ("{s} {has} {a} {t} and {q} twice as many.", "{a} + 2 * {a}", "all"), ("{s} {has} {a} {t} and {q} has {k} times as many.", "{a} + {k} * {a}", "all"), ("{s} {has} {a} {t}, {q} {b} and {r} {c}.", "{a} + {b} + {c}", "all"),
    ("compared with {s}, who has {a} {t}, {q} has {b} more.", "{a} + {b}", "q"), ("{q} has {b} more {t} than {s}. {s} has {a}.", "{a} + {b}", "q"), ("{q} has {b} fewer {t} than {s}. {s} has {a}.", "{a} - {b}", "q"), ("{s} owns {a} {t}; {q} owns {b} more than that.", "{a} + {b}", "q"), ("{s} [collected|counted|found|picked] {a} {t}. {q} [got|had] {b} fewer than {s}.", "{a} - {b}", "q"), ("{q} has {k} times as many {t} as {s}, who has {a}.", "{a} * {k}", "q"), ("{q} has twice as many {t} as {s}. {s} has {a}.", "{a} * 2", "q"), ("{q} has double the number of {t} that {s} has, and {s} has {a}.", "{a} * 2", "q"), ("{q} has half as many {t} as {s}, who has {ka}.", "{ka} // 2", "q"), ("{s} {has} {ka} {t}. {q} only has half that number.", "{ka} // 2", "q"), ("{s} {has} {a} {t}, which is {b} more than {q} has.", "{a} - {b}", "q"), ("{s}, with {a} {t}, has {b} fewer than {q}.", "{a} + {b}", "q"), ("{s} has {b} fewer {t} than {q}. {s} has {a}.", "{a} + {b}", "q"), ("{s} has {b} more {t} than {q}. {s} has {a}.", "{a} - {b}", "q"), ("{s} has {kk} {t}. That is {k} times the number that {q} has.", "{kk} // {k}", "q"), ("{s} has {ka} {t}, double what {q} has.", "{ka} // 2", "q"), ("{q} has only {b} {t} while {s} has {a}.", "{a} - {b}", "more"), ("{s}: {a} {t}, {q}: {b} {t}.", "{a} - {b}", "more"), ("there are {a} {t} in {s}'s bag and {b} in {q}'s.", "{a} + {b}", "all"), ("{s} brings {a} {t} and {q} brings {b} {t}.", "{a} + {b}", "all"), ("{q} has {b} more {t} than {s}, who has {a}.", "{a} + {a} + {b}", "all"), ("{q} has twice as many {t} as {s}, and {s} has {a}.", "{a} + 2 * {a}", "all"), ("{s} has {a} {t}, {q} has {b} {t} and {r} has {c} {t}.", "{a} + {b} + {c}", "all"))
COMPARE_ASK = {"q": ("how many {t} does {q} have?", "how many does {q} have?", "how many has {q}?", "find the number of {q}'s {t}.", "what does {q} have?", "[work out|calculate|tell me] how many {t} {q} has.", "what number of {t} does {q} have?", "I wonder how many {t} {q} has.", "how many {t} are {q}'s?"), "more": ("how many more does {s} have?", "how many more {t} does {s} have than {q}?", "what is the difference?", "how many fewer does {q} have?", "by how many does {s} have more?", "how many fewer {t} does {q} have than {s}?", "how many {t} more than {q} does {s} have?", "[find|work out] the difference.", "how many is {q} short of {s}?"),
               "all": ("how many {t} do they have [together|altogether|in all|in total]?", "how many {t} [is that|are that|are there] [together|in all]?", "what is the total?", "how many [together|altogether|in all]?", "how many do they have?", "[work out|calculate] how many {t} they have altogether.", "what is the total number of {t}?", "put together, how many {t} is that?")}


def comparing(d):
    p, t = Person(d), d.situation(COUNTED)
    if p.me:
        p.who, p.me, p.he = "Nina", False, "she"
    q, r = d.rng.sample([n for n in people.NAMES if n != p.who], 2)
    a, b, k = d.int(12, d.one(40, 300)), d.rng.randint(2, 11), d.rng.randint(3, 9)
    body, expression, ask = d._pick(COMPARE, d.frames)
    from .grammar import held
    d.held_frame |= held((body, expression, ask))
    slots = dict(p.slots(d), q=q, r=r, t=t, a=a, b=b, k=d.say(k), ka=2 * a, kk=k * a, c=d.rng.randint(2, 40))
    text = d.fill(body, **slots)
    text = text + " " + d.frame(COMPARE_ASK[ask], **slots) if d.some(0.85) else d.frame(COMPARE_ASK[ask], **slots).rstrip("?.").capitalize() + ": " + text
    e = expression.format(a=a, b=b, k=k, ka=2 * a, kk=k * a, c=slots["c"])
    return Problem(capital(text), eval(e), ("Compare", (f"print({e})",)))


DAILY = (("reads", "pages", "read"), ("runs", "km", "run"), ("walks", "kilometres", "walk"), ("bakes", "cakes", "bake"), ("writes", "pages", "write"), ("paints", "pictures", "paint"), ("drinks", "glasses of water", "drink"), ("sells", "newspapers", "sell"), ("plants", "trees", "plant"), ("types", "words", "type"), ("cycles", "miles", "cycle"),
         ("does", "push-ups", "do"), ("learns", "words", "learn"), ("makes", "toys", "make"), ("packs", "boxes", "pack"), ("saves", "dollars", "save"), ("earns", "euros", "earn"), ("swims", "lengths", "swim"), ("eats", "apples", "eat"), ("watches", "videos", "watch"), ("solves", "puzzles", "solve"), ("sews", "shirts", "sew"), ("prints", "pages", "print"), ("collects", "shells", "collect"),
         ("fills", "bottles", "fill"), ("washes", "cars", "wash"), ("repairs", "bikes", "repair"), ("picks", "apples", "pick"))
PERIODS = (("day", "days"), ("hour", "hours"), ("week", "weeks"), ("minute", "minutes"), ("month", "months"), ("year", "years"), ("day", "days"), ("hour", "hours"))
DAILY_MANY = ("{s} {v} {a} {u} [a|per|every|each] {d}. How many {u} [does {he} {b}|is that|are that] in {n} {ds}?", "how many {u} does {s} {b} in {n} {ds} [if {he} {v}|at] {a} [a|per|every] {d}?", "[every|each] {d} {s} {v} {a} {u}. How many {u} in {n} {ds}?", "{s} {v} {a} {u} {a2} {d} for {n} {ds}. How many {u} [in total|in all|altogether|is that]?",
              "a machine {v} {a} {u} [a|per] {d}. How many in {n} {ds}?", "{a} {u} [a|per] {d}, {n} {ds}: how many {u}?", "at a rate of {a} {u} per {d}, how many {u} [does {s} {b}|are that] in {n} {ds}?", "in one {d} {s} {v} {a} {u}. [And in|How many in] {n} {ds}?",
    "[work out|calculate] how many {u} {s} will {b} in {n} {ds} at {a} [a|per] {d}.", "if {s} {v} {a} {u} [every|each] {d}, what is the total after {n} {ds}?", "each {d} {s} {v} {a} {u}. [What is the total for|How many is that over] {n} {ds}?")
DAILY_LONG = ("{s} {v} {a} {u} [a|per|every|each] {d}. How many {ds} does it take to {b} {m} {u}?", "how many {ds} does {s} need [to {b}|for] {m} {u} [at|if {he} {v}] {a} [a|per] {d}?", "{s} wants to {b} {m} {u} and {v} {a} [a|per|each] {d}. How many {ds} [does it take|is that|will it take]?", "to {b} {m} {u} at {a} [a|per] {d} takes how many {ds}?",
              "{m} {u} at {a} per {d}: how many {ds}?", "[after how many|in how many] {ds} will {s} have {m} {u} if {he} {v} {a} a {d}?",
    "[work out|calculate] how many {ds} {s} needs to {b} {m} {u} at {a} [a|per] {d}.", "{s} {v} {a} {u} [every|each] {d}. After how many {ds} will it be {m} {u}?", "how many {ds} until {s} has {m} {u}, at {a} [every|per] {d}?", "at {a} {u} [a|per] {d}, how many {ds} are needed for {m} {u}?")
DAILY_RATE = ("{s} {v} {m} {u} in {n} {ds}. How many {u} [is that|are that] [a|per] {d}?", "in {n} {ds} {s} {v} {m} {u}. How many [per|in one|each|a] {d}?", "how many {u} [a|per] {d} does {s} {b} if {he} {v} {m} in {n} {ds}?", "{m} {u} in {n} {ds} is how many [a|per] {d}?", "{s} {v} {m} {u} in {n} {ds}, always the same number. How many {u} in one {d}?",
              "[what is the rate|find the rate] [per|in {u} per] {d}: {m} {u} in {n} {ds}.",
    "[work out|calculate] how many {u} {s} {v} [per|each] {d}: {m} in {n} {ds}.", "it takes {s} {n} {ds} to {b} {m} {u}. How many is that [a|per] {d}?", "{m} {u} in {n} {ds}: how many [each|per|every] {d}?", "if {s} {v} {m} {u} in {n} {ds}, how many {u} is that [per|each] {d}?")


def daily(d):
    """So many a day, for so many days."""
    p = Person(d)
    if p.me:
        p.who, p.he, p.me = "Tara", "she", False
    v, u, b = d.situation(DAILY)
    day, days = d.situation(PERIODS)
    a, n = d.int(2, d.one(20, 80)), d.rng.randint(2, d.one(12, 30))
    slots = dict(s=p.who, he=p.he, v=v, u=u, b=b, d=day, ds=days, a=d.say(a), n=d.say(n), m=a * n, a2="each")
    kind = d.rng.randrange(3)
    if kind == 0:
        return Problem(capital(d.frame(DAILY_MANY, **slots)), a * n, calculate("Multiply", "{0} * {1}", a, n))
    if kind == 1:
        return Problem(capital(d.frame(DAILY_LONG, **slots)), n, ("Divide", (f"print({a * n} // {a})",)))
    return Problem(capital(d.frame(DAILY_RATE, **slots)), a, ("Divide", (f"print({a * n} // {n})",)))


# (what is known, ways to ask, what {u} may be)
PROPORTION = (("{n} {t} cost {x}{cur}.", ("what do {m} {t} cost?", "how much do {m} [{t}|] cost?", "what is the price of {m} {t}?", "how much for {m}?"), ("",)), ("{n} {u} make {x} {t} [an hour|a day].", ("how many do {m} {u} make?", "how many {t} do {m} {u} make?"), ("machines", "printers", "workers", "ovens")),
              ("a recipe for {n} people needs {x} {u}.", ("how much is needed for {m} people?", "how much [does one need|do I need] for {m} [people|persons]?", "how much for {m}?"), ("g of flour", "grams of sugar", "ml of milk", "cups of rice", "spoons of oil", "eggs", "g of butter")),
              ("a car [uses|needs] {x} litres [of petrol|of fuel|] for {n} {u}.", ("how many litres for {m} {u}?", "how much does it need for {m} {u}?"), ("km", "miles", "kilometres")),
              ("{n} {u} of [apples|cheese|cloth|wire|paint|flour|fish|rope] cost {x}{cur}.", ("how much do {m} {u} cost?", "what is the price of {m} {u}?", "what do {m} {u} cost?"), ("kg", "kilograms", "pounds", "litres", "metres")),
              ("in {n} {u} a [pump|tap|machine|printer] [delivers|gives|makes] {x} [litres|pages|parts].", ("how many in {m} {u}?", "how much in {m} {u}?"), ("minutes", "hours", "days", "seconds")),
              ("{n} {u} have {x} [seats|books|places].", ("how many are in {m} {u}?", "how many do {m} have?"), ("rows", "shelves", "buses", "tables")), ("on a map {n} cm [are|stand for|mean] {x} km.", ("how many km are {m} cm?", "what are {m} cm [in reality|on the ground]?"), ("",)),
              ("{n} {u} weigh {x} [kg|g|grams].", ("what do {m} weigh?", "how much do {m} {u} weigh?"), ("tins", "bags", "bottles", "packets", "bricks", "balls")), ("{s} [reads|types|walks|earns] {x} [pages|words|km|dollars] in {n} {u}.", ("how many in {m} {u}?", "how many [does {he}|] in {m} {u}?"), ("hours", "days", "minutes", "weeks")))
INVERSE = ("{n} [workers|painters|people|machines|pumps|taps|men|robots] [need|take] {x} {u} [for a job|to build a wall|to paint a house|to fill a pool|to do the work|to finish a job|]. How [long|many {u}] do {m} [need|take]?", "if {n} [people|workers|men] [can|] [do a job|build a wall|dig a ditch|finish the work] in {x} {u}, [how long|how many {u}] [do|will|would] {m} [people|workers|men] [need|take]?",
           "food for {n} [dogs|horses|cows|people|hens] lasts {x} days. How many days does it last for {m}?", "[a job takes|the work takes] {n} [workers|people] {x} {u}. How [long|many {u}] does it take {m}?", "how long do {m} [workers|pumps|machines] need if {n} need {x} {u}?",
    "{n} [workers|painters|machines] [finish|do] a job in {x} {u}. How long would {m} of them take?", "if a job takes {n} [people|workers] {x} {u}, how long does it take {m}?")


def proportion(d):
    p = Person(d)
    n = d.rng.randint(2, 12)
    unit = d.rng.randint(1, 20)
    m = d.rng.randint(2, 20)
    if d.some(0.25):
        # Work is shared: more hands, less time.
        from math import gcd
        x = m // gcd(m, n) * d.rng.randint(1, 8)
        text = d.frame(INVERSE, n=d.say(n), x=d.say(x), m=d.say(m), u=d.one("hours", "days", "days", "minutes"))
        return Problem(capital(text), n * x // m, ("All the work, then divide", (f"print({n} * {x} // {m})",)))
    known, asks, units = d.situation(PROPORTION)
    slots = dict(n=d.say(n), x=n * unit, m=d.say(m), t=d.situation(COUNTED), u=d.one(*units), cur=d.one(" dollars", " euros", " pounds"), s="Ivy" if p.me else p.who, he="does he")
    body, ask = d.fill(known, **slots), d.fill(d.one(*asks), **slots).replace("does does he", "does he")
    text = f"{body} {ask}" if d.some(0.6) else f"if {body.rstrip('.')}, {ask}" if d.some(0.7) else f"{ask.rstrip('?')} if {body.rstrip('.')}?"
    return Problem(capital(text), unit * m, ("For one, then for all", (f"print({n * unit} * {m} // {n})",)))


RATIO = ("[divide|split|share] {a}{cur} [in|into] the ratio {p}:{q}. [What is|How much is|Find|Give] the {w} [share|part][?|]", "{s} and {o} share {a}{cur} in the ratio {p}:{q}. How much does {g} get?", "{a} {t} are [split|divided|shared] in the ratio {p} to {q}. [How many are in|What is] the {w} [part|share]?",
         "[the ratio of|] {t1} to {t2} is {p}:{q}[ and there are|. There are] {a} in all. How many {tg} are there?", "{s} and {o} [divide|split] {a} {t} in the ratio {p} : {q}. How many does {g} [get|receive]?",
    "{a}{cur} [are|is] to be [split|divided] in the ratio {p}:{q}. [Work out|Find|How much is] the {w} [share|part][?|]", "if {s} and {o} [split|divide] {a}{cur} in the ratio {p} to {q}, [how much|what] does {g} get?", "{s} and {o} get {a} {t} in the ratio {p}:{q}. [Work out|Find] how many {g} gets.", "there are {a} {t1} and {t2} in all, in the ratio {p}:{q}. How many {tg}?")
RATIO_KNOWN = ("[the ratio of|] {t1} to {t2} is {p}:{q}. There are {x} {t1}. How many {t2} [are there|]?", "for every {p} {t1} there are {q} {t2}. [If there are|There are] {x} {t1}[, how many {t2}|. How many {t2} are there]?", "mix {t1} and {t2} in the ratio {p} to {q}. How many {t2} go with {x} {t1}?",
               "[a recipe uses|you need] {p} cups of [flour|rice|water] for {q} cups of [sugar|milk|oil]. How many cups of the second [go with|for] {x} cups of the first?",
    "{t1} and {t2} are in the ratio {p}:{q}. With {x} {t1}, how many {t2} [are there|]?", "there are {q} {t2} for every {p} {t1}. How many {t2} for {x} {t1}?")
RATIO_SIMPLE = ("[Simplify|Reduce|Write in lowest terms] the ratio {a}:{b}[.|]", "[Simplify|Reduce] {a}:{b}[.|]", "[What is|] the ratio {a} to {b} in simplest form[?|]", "{a} : {b} [simplified|in lowest terms][?|]",
    "[Bring|Put] the ratio {a}:{b} into simplest form[.|]", "[Cancel down|Simplify fully] the ratio {a} : {b}[.|]")
PAIRS = (("boys", "girls"), ("cats", "dogs"), ("red balls", "blue balls"), ("apples", "pears"), ("men", "women"), ("cars", "bikes"), ("adults", "children"), ("roses", "tulips"), ("hens", "ducks"), ("wins", "losses"), ("pens", "pencils"), ("lions", "tigers"), ("cows", "sheep"), ("teachers", "students"), ("forks", "spoons"), ("coins", "notes"))


def ratio(d):
    from math import gcd
    p, q = d.rng.randint(1, 7), d.rng.randint(1, 9)
    k = d.int(2, 40)
    one, two = d.rng.sample(people.NAMES, 2)
    t1, t2 = d.situation(PAIRS)
    kind = d.rng.random()
    if kind < 0.45:
        if p == q or gcd(p, q) > 1:
            q = p + 1
        part = d.one(p, q)
        which = ("larger" if part == max(p, q) else "smaller") if d.some(0.6) else ("first" if part == p else "second")
        if which == "larger":
            which = d.one("larger", "bigger", "greater", "larger")
        text = d.frame(RATIO, a=(p + q) * k, cur=d.one(" dollars", " euros", "", " kg", " pounds", " sweets", " litres"), p=p, q=q, w=which, s=one, o=two, g=one if part == p else two, t=d.situation(COUNTED), t1=t1, t2=t2, tg=t1 if part == p else t2)
        return Problem(capital(text), part * k, ("One part, then all of its parts", (f"print({(p + q) * k} // ({p} + {q}) * {part})",)))
    if kind < 0.8:
        text = d.frame(RATIO_KNOWN, t1=t1, t2=t2, p=p, q=q, x=p * k)
        return Problem(capital(text), q * k, ("One part, then all of its parts", (f"print({p * k} // {p} * {q})",)))
    g = gcd(p, q)
    k = min(k, 20)
    return Problem(d.frame(RATIO_SIMPLE, a=p * k, b=q * k), f"{p // g}:{q // g}", ("Divide by what both have", (f"g = gcd({p * k}, {q * k})", f"print(f'{{{p * k} // g}}:{{{q * k} // g}}')")))


AGES = (
    ("{s} is {a} years old. {q} is {b} years older. How old is {q}?", "{a} + {b}"), ("{s} is {a}. {q} is {b} years younger. How old is {q}?", "{a} - {b}"), ("{s} is {a} [years old|] [now|today|]. How old [was {he}|was {s}] {b} years ago?", "{a} - {b}"), ("{s} is {a} [years old|] [now|]. How old will {he} be in {b} years?", "{a} + {b}"),
    ("{s} was {a} years old {b} years ago. How old is {he} now?", "{a} + {b}"), ("in {b} years {s} will be {a}. How old is {s} now?", "{a} - {b}"), ("{s} is {k} times as old as {q}, who is {b}. How old is {s}?", "{k} * {b}"), ("{s} is twice as old as {q}. {q} is {a}. How old is {s}?", "2 * {a}"), ("{s} is {kb}, {k} times as old as {q}. How old is {q}?", "{kb} // {k}"),
    ("{s} was born in {y}. How old [was|is|will] {he} [be|] in {z}?", "{z} - {y}"), ("{s} was born in {y}. In which year [was|is|does] {he} [turn|] {a}?", "{y} + {a}"), ("{s} is {a} and {q} is {b}. How old are they together?", "{a} + {b}"), ("{s} is {a} and {q} is {b}. What is the difference of their ages?", "{a} - {b}"), ("{s}'s age plus {b} is {a}. How old is {s}?", "{a} - {b}"),
    ("in {z} {s} is {a} years old. In which year was {he} born?", "{z} - {a}"), ("{s} is {a}. In {b} years {he} will be how old?", "{a} + {b}"), ("how old is {q} if {s} is {a} and {q} is {b} years [younger]?", "{a} - {b}"), ("how old will {s} be in {b} years if {he} is {a} now?", "{a} + {b}"),
    ("{q} is {b} years older than {s}, who is {a}. How old is {q}?", "{a} + {b}"), ("{q} is {b} years younger than {s}. {s} is {a}. [What is {q}'s age|How old is {q}]?", "{a} - {b}"), ("{s} is {a} now. What [will be {s}'s age|age will {he} be] in {b} years?", "{a} + {b}"), ("{s} turned {a} today. How old was {he} {b} years ago?", "{a} - {b}"), ("{b} years ago {s} was {a}. [What is {s}'s age now|How old is {s} today]?", "{a} + {b}"), ("{b} years from now {s} will be {a}. How old is {he} [now|today]?", "{a} - {b}"), ("{q} is {b} and {s} is {k} times as old. How old is {s}?", "{k} * {b}"), ("{s} is {a}, {b} years older than {q}. How old is {q}?", "{a} - {b}"), ("{s} is {a}, {b} years younger than {q}. How old is {q}?", "{a} + {b}"), ("{s} is {a} and {q} is {b}. By how many years is {s} older?", "{a} - {b}"), ("born in {y}, how old does {s} turn in {z}?", "{z} - {y}"), ("[add|what is the sum of] the ages of {s}, {a}, and {q}, {b}.", "{a} + {b}"))


def ages(d):
    p = Person(d)
    if p.me or p.he == "it":
        p.who, p.he, p.me = "Paul", "he", False
    q = d.one(*(n for n in people.NAMES if n != p.who))
    kind = d.rng.random()
    from .grammar import held
    if kind < 0.6:
        text, expression = d._pick(AGES, d.frames)
        d.held_frame |= held((text, expression))
        a, b, k, y = d.rng.randint(14, 70), d.rng.randint(2, 13), d.rng.randint(2, 6), d.rng.randint(1930, 2012)
        n = dict(a=a, b=b, k=k, kb=k * b, y=y, z=y + d.rng.randint(3, 70))
        if "{z}" in text and "{a}" in text:
            n["z"] = d.rng.randint(1990, 2030)
        e = expression.format(**n)
        return Problem(capital(distract(d, p, d.fill(text, s=p.who, he=p.he, q=q, **n))), eval(e), ("Add, subtract or multiply", (f"print({e})",)))
    # Two unknown ages: k times as old and a sum or a difference; x is the younger one's.
    k, x = d.rng.randint(2, 7), d.rng.randint(2, 20)
    if kind < 0.8:
        by_sum = d.some(0.6)
        n = x * (k + 1) if by_sum else x * (k - 1)
        times = {2: d.one("twice", "2 times"), 3: d.one("three times", "3 times")}.get(k, f"{k} times")
        fact = f"together they are {n}" if by_sum else f"the difference is {n} years"
        who = d.one(p.who, q)
        text = d.frame(("{s} is {times} as old as {q}[. |, and ]{fact}. How old is {w}?", "{s} is {times} as old as {q}. {fact}. [What is {w}'s age|Find the age of {w}|How old is {w}][?|]", "how old is {w} if {s} is {times} as old as {q} and {fact}?",
    "{s}'s age is {times} {q}'s age, and {fact}. [How old is {w}|What is the age of {w}]?", "{q} is younger than {s}, who is {times} as old; {fact}. How old is {w}?", "[work out|find] the age of {w}: {s} is {times} as old as {q}, and {fact}."), s=p.who, q=q, times=times, fact=fact, w=who)
        equation = f"{k}*x + x - {n}" if by_sum else f"{k}*x - x - {n}"
        return Problem(capital(text), k * x if who == p.who else x, (f"x is the age of {q}", (f"x = solve('{equation}')[0]", "print(x)" if who == q else f"print({k} * x)")))
    years = d.rng.randint(1, 15)
    older = x + d.rng.randint(2, 30)
    total = x + older
    text = d.frame(("{s} is {b} years older than {q}. Together they are {n} [years old|]. How old is {w}?", "the ages of {s} and {q} add up to {n}. {s} is {b} years older. How old is {w}?", "{s} and {q} are {n} years old together, and {s} is {b} years older[. How old is {w}?|; find the age of {w}.]",
    "{q} is {b} years younger than {s}. Their ages add up to {n}. [How old is|What is the age of] {w}?", "{s} and {q} have a total age of {n} and {s} is {b} years older. How old is {w}?", "[work out|find] {w}'s age if {s} is {b} years older than {q} and together they are {n}."),
                   s=p.who, q=q, b=older - x, n=total, w="{w}")
    who = d.one(p.who, q)
    return Problem(capital(text.replace("{w}", who)), older if who == p.who else x, (f"x is the age of {q}", (f"x = solve('x + {older - x} + x - {total}')[0]", "print(x)" if who == q else f"print(x + {older - x})")))


NUMBERS = (
    ("the sum of two numbers is {s} and their difference is {d}. [Find|What is] the {w} [one|number][?|]", "x + y - {s}", "x - y - {d}"), ("two numbers add up to {s} and differ by {d}. What is the {w} [one|number|of them]?", "x + y - {s}", "x - y - {d}"), ("two numbers have the sum {s} and the difference {d}. What is the {w} one?", "x + y - {s}", "x - y - {d}"),
    ("the difference of two numbers is {d} and their sum is {s}. [Find|What is] the {w} [one|number][?|]", "x + y - {s}", "x - y - {d}"), ("[I am thinking|think] of two numbers. Together they make {s}, and one is {d} more than the other. What is the {w} [one|number]?", "x + y - {s}", "x - y - {d}"), ("one number is {d} more than another. Their sum is {s}. [Find|What is] the {w} one[?|]", "x + y - {s}", "x - y - {d}"), ("find the {w} of two numbers with sum {s} and difference {d}.", "x + y - {s}", "x - y - {d}"))
SOLD = (("adult tickets", "child tickets"), ("coffees", "teas"), ("pens", "notebooks"), ("apples", "pears"), ("big boxes", "small boxes"), ("cakes", "cookies"), ("chairs", "tables"), ("roses", "tulips"), ("shirts", "hats"), ("burgers", "fries"))
LEGS = (("chickens", "cows", 2, 4, "heads", "legs"), ("ducks", "sheep", 2, 4, "heads", "legs"), ("rabbits", "hens", 4, 2, "heads", "legs"), ("bicycles", "tricycles", 2, 3, "vehicles", "wheels"), ("cars", "motorbikes", 4, 2, "vehicles", "wheels"), ("spiders", "beetles", 8, 6, "animals", "legs"), ("stools", "chairs", 3, 4, "seats", "legs"), ("pigs", "geese", 4, 2, "animals", "feet"), ("ostriches", "zebras", 2, 4, "animals", "legs"))


def unknowns(d):
    """Two unknowns, or one, in words."""
    kind = d.rng.random()
    from .grammar import held
    if kind < 0.3:
        x, y = sorted((d.rng.randint(1, 60), d.rng.randint(1, 60)), reverse=True)
        if x == y:
            x += 2
        big = d.some(0.5)
        word = d.one("larger", "bigger", "greater") if big else d.one("smaller", "lesser", "smaller")
        text, e1, e2 = d._pick(NUMBERS, d.frames)
        d.held_frame |= held((text, e1, e2))
        text = d.fill(text, s=x + y, d=x - y, w=word)
        return Problem(capital(text), x if big else y, ("x is the larger one, y the smaller one", (f"R = solve(['x + y - {x + y}', 'x - y - {x - y}'])", f"print(R[S('{'x' if big else 'y'}')])")))
    if kind < 0.55:
        t1, t2, l1, l2, heads, legs = d.situation(LEGS)
        x, y = d.rng.randint(1, 30), d.rng.randint(1, 30)
        w = d.some(0.5)
        text = d.frame(("a [farm|field|yard|shop|park] has {t1} and {t2}, {h} {heads} and {l} {legs} [in all|together|]. How many {w} are there?", "there are {t1} and {t2}: {h} {heads} and {l} {legs}. How many {w}?", "{s} counts {h} {heads} and {l} {legs} of {t1} and {t2}. How many {w} are there?", "how many {w} are there if {t1} and {t2} have {h} {heads} and {l} {legs} together?",
    "[I see|we counted] {h} {heads} and {l} {legs}, all of {t1} and {t2}. [How many {w} are there|Find the number of {w}][?|]", "{t1} and {t2} together: {h} {heads}, {l} {legs}. How many {w}?"),
                       t1=t1, t2=t2, h=x + y, l=l1 * x + l2 * y, heads=heads, legs=legs, w=t1 if w else t2, s=d.one("Ella", "a farmer", "Noah"))
        return Problem(capital(text), x if w else y, (f"x {t1}, y {t2}", (f"R = solve(['x + y - {x + y}', '{l1}*x + {l2}*y - {l1 * x + l2 * y}'])", f"print(R[S('{'x' if w else 'y'}')])")))
    if kind < 0.75:
        t1, t2 = d.situation(SOLD)
        a, b = d.rng.randint(2, 15), d.rng.randint(2, 15)
        if a == b:
            b += 1
        x, y = d.rng.randint(1, 40), d.rng.randint(1, 40)
        w = d.some(0.5)
        text = d.frame(("{t1} cost {a} and {t2} {b} {cur}. {n} were sold for {m} {cur} [in all|]. How many {w} were sold?", "a [shop|club|school] sold {n} {t1} and {t2} for {m} {cur}. One of the {t1} costs {a}, one of the {t2} {b}. How many {w} [were sold|were there|were they]?",
    "{n} {t1} and {t2} were sold, the {t1} at {a} and the {t2} at {b} {cur} each, for {m} {cur} in all. How many {w} were there?", "someone paid {m} {cur} for {n} {t1} and {t2}. {t1} cost {a} each, {t2} {b} each. How many {w} were bought?"), cur=d.one("dollars", "euros"), t1=t1, t2=t2, a=a, b=b, n=x + y, m=a * x + b * y, w=t1 if w else t2)
        return Problem(capital(text), x if w else y, (f"x {t1}, y {t2}", (f"R = solve(['x + y - {x + y}', '{a}*x + {b}*y - {a * x + b * y}'])", f"print(R[S('{'x' if w else 'y'}')])")))
    x, a, b = d.rng.randint(2, 30), d.rng.randint(2, 9), d.rng.randint(1, 40)
    forms = (("[I think of a number|think of a number|take a number|a number is taken]. [I|] multiply it by {a} and add {b}. [The result is|I get|You get] {r}. [What is the number|Which number is it|What was my number]?", f"{a}*x + {b}", a * x + b), ("{a} times a number [plus|and] {b} [is|makes|gives] {r}. [What is the number|Which number is it|Find the number][?|]", f"{a}*x + {b}", a * x + b),
             ("{a} times a number minus {b} [is|makes|gives] {r}. [What is the number|Find it|Find the number][?|]", f"{a}*x - {b}", a * x - b), ("[a number plus|the sum of a number and] {b} is {r}. [What is the number|Find the number][?|]", f"x + {b}", x + b), ("[if you|] [add {b} to a number|increase a number by {b}] [and|, then] multiply by {a}[, you| and] get {r}. [What is|Find] the number[?|]", f"{a}*(x + {b})", a * (x + b)),
             ("twice a number [plus|increased by] {b} [is|equals] {r}. Find the number.", f"2*x + {b}", 2 * x + b), ("a number [less|minus] {b} is {r}. What is [the number|it]?", f"x - {b}", x - b), ("a number divided by {a} is {r}. What is the number?", f"x/{a}", x),
             ("three consecutive [numbers|integers] add up to {r}. What is the [smallest|first]?", "x + x + 1 + x + 2", 3 * x + 3), ("[what|which] number [plus|and] {b} [is|makes] {r}?", f"x + {b}", x + b), ("{a} times what number is {r}?", f"{a}*x", a * x), ("[the product of|] {a} [and|times] a number is {r}. [What is it|Find the number|Which number][?|]", f"{a}*x", a * x),
    ("[when I|if I] multiply a [secret|certain|] number by {a} and then add {b}, I get {r}. [What is the number|Find the number|Which number did I start with][?|]", f"{a}*x + {b}", a * x + b), ("my number times {a}, plus {b}, is {r}. [What is my number|Find my number][?|]", f"{a}*x + {b}", a * x + b), ("if you take {b} away from {a} times a number, you get {r}. [What is|Find] the number[?|]", f"{a}*x - {b}", a * x - b), ("{b} more than a number is {r}. [What is it|What is the number|Find the number][?|]", f"x + {b}", x + b), ("{b} less than a number is {r}. [What is the number|Find the number][?|]", f"x - {b}", x - b), ("[from|out of] which number must [I|you|one] take {b} to get {r}?".replace("[from|out of]", "from"), f"x - {b}", x - b), ("a number is multiplied by {a} and the result is {r}. [What is the number|Find it][?|]", f"{a}*x", a * x), ("I divided a number by {a} and got {r}. [What was the number|Which number did I divide]?", f"x/{a}", x), ("the double of a number and {b} more make {r}. What is the number?", f"2*x + {b}", 2 * x + b), ("the sum of three consecutive [integers|whole numbers] is {r}. [Find|What is] the smallest [of them|one|][?|]", "x + x + 1 + x + 2", 3 * x + 3), ("what must [I|you|one] add to {b} to get {r}?", f"x + {b}", x + b))
    chosen = d._pick([f[0] for f in forms], d.frames)
    d.held_frame |= held(chosen)
    text, left, r = next(f for f in forms if f[0] == chosen)
    answer = x * a if left == f"x/{a}" else x
    return Problem(capital(d.fill(text, a=d.say(a), b=b, r=r)), answer, ("x is the number", (f"print(solve('{left} - ({r})')[0])",)))


MEAN = ("[What is|Find|Calculate|Give|Work out|] the [average|mean|arithmetic mean] of {l}[?|.|]", "[average|mean] of {l}[?|]", "{s}'s [marks|scores|points|times|grades] are {l}. What is [the average|{his} average|the mean]?", "[the|On five days the|] temperatures [are|were] {l} degrees. [What is|Find] the [mean|average][?|.]", "{s} scored {l} [points|goals|] in {n} games. What was [{his}|the] average?",
        "[the|our|my] [numbers|data|values|heights|weights] are {l}. [What is|Find|Calculate] the [mean|average][?|]", "how [much|many] [is it|] on average: {l}?", "{l}: [what is the average|average|mean]?", "on average, what are {l}?",
    "[I need|tell me|determine] the [average|mean] of {l}[.|]", "[add up|take] {l} and [find|work out] the [average|mean]", "what do {l} average?", "what is the average of these [numbers|values|marks]: {l}?", "{s} [got|measured|wrote down] {l}. [What is|Find|Work out] the [mean|average][?|]")
MEDIAN = ("[What is|Find|Calculate|Give|] the {w} of {l}[?|.|]", "{w} of {l}[?|]", "[the|] [numbers|data|values|scores] are {l}. What is the {w}?", "{l}: [what is the|] {w}?", "[find|give] the {w}: {l}",
    "[determine|tell me|work out] the {w} of {l}[.|]", "what {w} do {l} have?", "what is the {w} of [these numbers|this list|the data]: {l}?", "[data|numbers]: {l}. {w}?")
MISSING = ("the [average|mean] of {n} numbers is {m}. What is their sum?", "the [average|mean] of {n} [numbers|scores|tests] is {m}. [All but one|{k} of them] are {l}. [What is|Find] the [last|missing|other] one[?|]", "{l} and one more [number|score] have [an average|a mean] of {m}. [What is|Find] the [missing|last] [number|one][?|]", "what must the next score be so that {l} and it have an average of {m}?",
    "{n} numbers have [an average|a mean] of {m}. What is their sum?", "after {l}, what must come next so that the [mean|average] of all is {m}?", "which number must be added to the list {l} to make the [average|mean] {m}?")


def averages(d):
    p = Person(d)
    n = d.rng.randint(2, 6)
    mean = d.int(3, 90)
    values = [max(1, mean + d.rng.randint(-9, 9)) for _ in range(n)]
    kind = d.rng.random()
    if kind < 0.55:
        if d.some(0.75):
            values[-1] += -sum(values) % n
        text = d.frame(MEAN, l=listing(values, d.one("and", "and")) if d.some(0.75) else ", ".join(map(str, values)), s=p.who if not p.me else "Kim", his=p.his, n=n)
        answer = Fraction(sum(values), n)
        return Problem(capital(text), answer, ("Add, then divide by how many", (f"V = [{', '.join(map(str, values))}]", "print(Fraction(sum(V), len(V)))")))
    if kind < 0.8:
        word = d.one("median", "median", "mode", "range", "range")
        n = d.rng.randint(3, 7) | (1 if d.some(0.7) else 0)
        values = [d.rng.randint(1, d.one(12, 60)) for _ in range(n)]
        if word == "mode":
            values.append(values[0])
            from collections import Counter
            top = Counter(values).most_common()
            if len(top) > 1 and top[0][1] == top[1][1]:
                return None
            answer, lines = top[0][0], "print(max(V, key=V.count))"
        elif word == "median":
            s = sorted(values)
            answer = Fraction(s[(len(s) - 1) // 2] + s[len(s) // 2], 2)
            lines = "print(Fraction(V[(len(V) - 1) // 2] + V[len(V) // 2], 2))"
        else:
            answer, lines = max(values) - min(values), "print(max(V) - min(V))"
        d.rng.shuffle(values)
        inner = ", ".join(map(str, values))
        head = f"V = sorted([{inner}])" if word == "median" else f"V = [{inner}]"
        return Problem(capital(d.frame(MEDIAN, w=word, l=listing(values) if d.some(0.6) else inner)), answer, (f"The {word}", (head, lines)))
    text = d._pick(MISSING, d.frames)
    from .grammar import held
    d.held_frame |= held(text)
    if "their sum" in text:
        return Problem(capital(d.fill(text, n=d.say(n), m=mean)), n * mean, ("Multiply", (f"print({n} * {mean})",)))
    mean = sum(values) // n + d.rng.randint(0, 3)
    last = mean * (n + 1) - sum(values)
    text = d.fill(text, n=d.say(n + 1), k=d.say(n), l=listing(values), m=mean)
    return Problem(capital(text), last, ("The sum of all less the known ones", (f"V = [{', '.join(map(str, values))}]", f"print({mean} * (len(V) + 1) - sum(V))")))


TOPICS = ((changes, 9), (crowd, 3), (groups, 7), (sharing, 7), (comparing, 6), (daily, 6), (proportion, 7), (ratio, 6), (ages, 6), (unknowns, 8), (averages, 6))
