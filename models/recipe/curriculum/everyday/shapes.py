"""Rectangles, triangles, circles, boxes, angles, Pythagoras."""
import math
from decimal import Decimal
from fractions import Fraction

from .grammar import SHOW, Problem, calculate, held, plain
from .people import capital

UNITS = (("cm", "cm²"), ("m", "m²"), ("", ""), ("", ""), (" cm", " cm²"), (" m", " square metres"), (" metres", " square metres"), (" feet", " square feet"), (" inches", " square inches"), (" km", " km²"), (" units", ""), (" centimetres", ""), (" meters", " square meters"), (" mm", " mm²"))
FLAT = ("rectangle", "rectangle", "rectangular garden", "room", "field", "rectangular field", "table top", "carpet", "wall", "poster", "sheet of paper", "pool", "floor", "lawn", "yard", "playground", "window", "picture", "board", "court", "plot of land", "rectangular park", "door", "towel")
RECT = ("[what is|find|calculate|give|work out] the {q} of a {f} [with sides|of|with sides of|with the sides] {a} and {b}[?|.]", "a {f} is {a} long and {b} wide. [What is|Find|Calculate] [its|the] {q}[?|]", "a {f} [measures|is] {a} by {b}. [What is|Find] [its|the] {q}[?|]", "{q} of a {a} by {b} {f}[?|]", "[a|the] {f} has length {a} and width {b}. [What is|Find] [its|the] {q}[?|]", "length {a}, width {b}, {q}[ of the {f}|][?|]", "a {f}: {a} x {b}. {q}?", "what {q} does a {f} of {a} [times|by|x] {b} have?",
        "the sides of a {f} are {a} and {b}. [How big is|What is] [its|the] {q}?", "how [large|big] is the {q} of a {f} {a} long and {b} wide?",
    "[I need|tell me|determine] the {q} of a {f} measuring {a} by {b}[.|]", "with length {a} and width {b}, what is the {q} of a {f}?", "a {f} is {b} wide and {a} long. [Work out|Find] [its|the] {q}[.|]", "{f}, {a} by {b}, {q}?")
FENCE = ("how [much|many metres of|long a] fence [is needed|does one need] [around|for|to enclose] a [garden|field|yard] of {a} by {b}?", "how far is it [once|] around a [field|park|pool] {a} long and {b} wide?", "a [frame|ribbon|path] goes around a [picture|garden|pool] of {a} by {b}. How long is it?",
    "[work out|calculate] the length of fence needed to go all the way round a [garden|field|yard] {a} long and {b} wide[.|]", "a [field|park|garden] is {a} by {b}. How far is one lap around its edge?")
COVER = ("how many [square metres|tiles of one square metre] [are needed|does it take] to cover a [floor|yard] of {a} by {b}?", "how much [carpet|grass|paint area] for a [floor|garden|wall] {a} long and {b} wide?",
    "[work out|calculate] how much [carpet|turf] covers a [room|floor] {a} by {b}[.|]", "a floor is {a} by {b}. How much [carpet|lino] covers it?")
RECT_SIDE = ("a {f} has [an|the] area [of|] {s} and [one side|width|length] {a}. [How long is|What is|Find] the other side[?|]", "the area of a {f} is {s}, one side is {a}. [What is|Find] the other [one|side]?", "area {s}, [width|length] {a}: the other side [of the {f}|]?", "a {f} of area {s} is {a} [long|wide]. How [wide|long] is it?",
    "a {f} covers {s}. One side is {a}. [Find|Work out] the other[ side|][.|]")
RECT_PSIDE = ("the perimeter of a {f} is {s} and one side is {a}. [What is|Find] the other side[?|]", "a {f} has [a|the] perimeter [of|] {s} and [length|width|one side] {a}. [How long is|What is] the other side?")
SQUARE = ("[what is|find|calculate] the {q} of a square [with side|of side|with sides of|whose side is] {a}[?|]", "a square has [sides|a side] of {a}. [What is|Find] [its|the] {q}[?|]", "{q} of a square[, | with ]side {a}[?|]", "the side of a square is {a}. [What is|Find] the {q}[?|]", "side of a square {a}, {q}?",
    "[work out|determine] the {q} of a square whose sides are {a} [long|each][.|]", "what {q} does a square of side {a} have?", "each side of a square is {a}. [What is|Find] its {q}[?|]")
SQUARE_BACK = (("a square has [an|the] area [of|] {s}. [How long is|What is|Find] [its|a|one] side[?|]", "area"), ("the area of a square is {s}. [What is|Find] the side[?|]", "area"), ("a square has a perimeter of {p}. How long is [one|a] side?", "per"), ("the perimeter of a square is {p}. [What is|Find] its area[?|]", "pa"), ("a square has area {s}. What is its perimeter?", "ap"))
TRIANGLE = ("[what is|find|calculate|give] the area of a triangle with base {a} and height {b}[?|.]", "a triangle has base {a} and height {b}. [What is|Find|How big is] [its|the] area[?|]", "area of a triangle, base {a}, height {b}[?|]", "[the|a] triangle's base is {a} and its height {b}. Area?", "a triangle is {b} high and its base is {a} [long|]. What is its area?", "triangle, base {a}, height {b}, area?", "how large is a triangle of base {a} and height {b}?",
    "[work out|determine] the area of a triangle whose base is {a} and whose height is {b}[.|]", "what area does a triangle with base {a} and height {b} have?", "a triangle is {a} at the base and {b} high. [Find|Work out] its area[.|]")
TRAPEZIUM = ("[what is|find] the area of a [trapezium|trapezoid] with parallel sides {a} and {b} and height {c}[?|]", "a [trapezoid|trapezium] has parallel sides of {a} and {b} and is {c} high. [What is|Find] its area[?|]",
    "the parallel sides of a [trapezium|trapezoid] are {a} and {b}, its height is {c}. [Find|What is] its area[?|]")
PARALLELOGRAM = ("[what is|find] the area of a parallelogram with base {a} and height {b}[?|]", "a parallelogram has base {a} and height {b}. Find its area.",
    "parallelogram, base {a}, height {b}: area?", "what area does a parallelogram of base {a} and height {b} have?")
PER3 = ("[what is|find] the perimeter of a triangle with sides {a}, {b} and {c}[?|]", "a triangle has sides of {a}, {b} and {c}. [What is|Find] its perimeter[?|]", "a triangle with sides {a}, {b}, {c}: perimeter?",
    "the sides of a triangle are {a}, {b} and {c}. How far is it around?", "[add up|work out] the perimeter of a triangle with sides {a}, {b} and {c}[.|]")
REGULAR = ("[what is|find] the perimeter of [a regular|an equal-sided|a regular] {n} with side {a}[?|]", "a regular {n} has sides of {a}. [What is|Find] its perimeter[?|]", "each side of a regular {n} is {a}. How long is its perimeter?",
    "how far is it around a regular {n} with sides of {a}?", "[work out|calculate] the perimeter of a regular {n} of side {a}[.|]")
POLYGONS = (("triangle", 3), ("pentagon", 5), ("hexagon", 6), ("octagon", 8), ("heptagon", 7), ("decagon", 10), ("nonagon", 9), ("quadrilateral", 4))
CIRCLE = ("[what is|find|calculate|give] the {q} of a circle [with|of|that has] {r} {a}{pi}[?|.]", "a circle has [a|] {r} [of|] {a}. [What is|Find|Calculate] [its|the] {q}{pi}[?|.]", "{q} of a circle, {r} {a}{pi}[?|]", "the {r} of a [circle|wheel|round table|round pond|plate|coin|pizza] is {a}. [What is|Find] [its|the] {q}{pi}[?|]", "a [wheel|round table|pond|plate|pizza] has [a|] {r} [of|] {a}. {q}{pi}?",
    "[work out|determine] the {q} of a circle whose {r} is {a}{pi}[.|]", "what {q} does a circle [of|with] {r} {a} have{pi}?", "a circle's {r} is {a}. [Find|Work out] [its|the] {q}{pi}[.|]", "circle, {r} {a}, {q}{pi}[?|]", "[I need|tell me] the {q} of a [circle|round plate|disc|round table] with [a|] {r} [of|] {a}{pi}[.|]", "with a {r} of {a}, what is the {q} of a circle{pi}?")
DIAMETER = (("[what is|find] the diameter of a circle with radius {a}[?|]", 2), ("[what is|find] the radius of a circle with diameter {b}[?|]", 0), ("a circle has a radius of {a}. What is its diameter?", 2), ("the diameter of a [circle|wheel|ball] is {b}. [What is|Find] the radius[?|]", 0),
    ("a circle with radius {a} has what diameter?", 2), ("[how long is|work out] the diameter of a [circle|wheel] whose radius is {a}[?|]", 2), ("a circle is {b} across. What is its radius?", 0), ("[how long is|work out] the radius of a [circle|disc] whose diameter is {b}[?|]", 0))
BOXES = ("box", "box", "cuboid", "room", "brick", "tank", "aquarium", "carton", "container", "pool", "crate", "rectangular prism", "parcel", "drawer", "block of wood", "sandpit")
BOX = ("[what is|find|calculate|give] the {q} of a {f} [with sides|of|with edges|measuring] {a}, {b} and {c}[?|.]", "a {f} is {a} long, {b} wide and {c} high. [What is|Find|How big is] [its|the] {q}[?|]", "a {f} measures {a} by {b} by {c}. [What is|Find] its {q}[?|]", "{q} of a {a} x {b} x {c} {f}[?|]", "a {f} has length {a}, width {b} and height {c}. [What is|Find] [its|the] {q}[?|]", "length {a}, width {b}, height {c}: {q}[ of the {f}|]?", "how [big|large] is the {q} of a {f} {a} by {b} by {c}?",
    "[work out|determine] the {q} of a {f} that is {a} long, {b} wide and {c} high[.|]", "what {q} does a {f} of {a} by {b} by {c} have?", "{f}, {a} by {b} by {c}, {q}?")
HEIGHT = ("a {f} has a volume of {v}, [length|sides] {a} and [width|] {b}. [How high is it|What is its height|Find the height][?|]", "a {f} {a} long and {b} wide holds {v}. How [high|deep] is it?",
    "how high is a {f} of volume {v} that is {a} long and {b} wide?")
CUBE = ("[what is|find|calculate] the {q} of a cube [with|of|with an] [edge|side|side length] {a}[?|]", "a cube has [edges|sides|an edge] of {a}. [What is|Find] [its|the] {q}[?|]", "{q} of a cube, [edge|side] {a}[?|]", "the edge of a cube is {a}. [What is|Find] its {q}[?|]",
    "[work out|determine] the {q} of a cube whose edges are {a} [long|][.|]", "what {q} does a cube of edge {a} have?")
CUBE_BACK = ("a cube has [a|the] volume [of|] {v}. [How long is|What is|Find] [an|its|one] edge[?|]", "the volume of a cube is {v}. [What is|Find] [its|the] side[?|]", "how long is the edge of a cube of volume {v}?",
    "a cube holds {v}. How long is [each|an] edge?", "[work out|calculate] the edge of a cube with volume {v}[.|]")
CYLINDER = ("[what is|find] the volume of a cylinder with radius {a} and height {b}{pi}[?|]", "a [cylinder|can|round tank] has radius {a} and height {b}. [What is|Find] its volume{pi}[?|]",
    "how much does a cylinder of radius {a} and height {b} hold{pi}?", "cylinder, radius {a}, height {b}, volume{pi}[?|]")


def side(d, unit):
    if d.some(0.15):
        return Decimal(d.rng.randint(11, 150)) / 10
    return d.int(2, d.one(15, 50, 120))


def flat(d):
    u, uu = d.one(*UNITS)
    a, b = side(d, u), side(d, u)
    A, B = f"{plain(a)}{u}", f"{plain(b)}{u}"
    if not u.startswith(" ") and d.some(0.3):
        A = plain(a)
    f = d.situation(FLAT)
    kind = d.rng.choice(["rect", "rect", "rect", "fence", "side", "pside", "square", "square", "back", "tri", "tri", "trap", "par", "per3", "regular"])
    area = d.some(0.5)
    q = d.one("area", "area", "surface area" if d.some(0.1) else "area") if area else d.one("perimeter", "perimeter", "circumference" if d.some(0.15) else "perimeter")
    if kind == "rect":
        text = capital(d.frame(RECT, a=A, b=B, f=f, q=q))
        return Problem(text, a * b if area else 2 * (a + b), calculate("Length times width" if area else "Twice length and width", "{0} * {1}" if area else "2 * ({0} + {1})", a, b))
    if kind == "fence":
        A, B = f"{plain(a)} m", f"{plain(b)} m"
        text = capital(d.frame(COVER if area else FENCE, a=A, b=B))
        return Problem(text, a * b if area else 2 * (a + b), calculate("Length times width" if area else "Twice length and width", "{0} * {1}" if area else "2 * ({0} + {1})", a, b))
    if kind == "side":
        return Problem(capital(d.frame(RECT_SIDE, f=f, s=f"{plain(a * b)}{uu}", a=A)), b, calculate("Area over the side", "{0} / {1}", a * b, a))
    if kind == "pside":
        p = 2 * (a + b)
        return Problem(capital(d.frame(RECT_PSIDE, f=f, s=f"{plain(p)}{u}", a=A)), b, calculate("Half the perimeter less the side", "{0} / 2 - {1}", p, a))
    if kind == "square":
        return Problem(capital(d.frame(SQUARE, a=A, q=q)), a * a if area else 4 * a, calculate("Side times side" if area else "Four sides", "{0} * {0}" if area else "4 * {0}", a))
    if kind == "back":
        n = d.int(2, 40)
        text, what = d._pick(SQUARE_BACK, d.frames)
        d.held_frame |= held((text, what))
        text = capital(d.fill(text, s=f"{n * n}{uu}", p=f"{4 * n}{u}"))
        return Problem(text, {"area": n, "per": n, "pa": n * n, "ap": 4 * n}[what], {"area": ("The root of the area", (f"print(sqrt(S('{n * n}')))",)), "per": ("A quarter of the perimeter", (f"print({4 * n} // 4)",)), "pa": ("A quarter of the perimeter, squared", (f"print(({4 * n} // 4) ** 2)",)), "ap": ("Four times the root of the area", (f"print(4 * sqrt(S('{n * n}')))",))}[what])
    if kind == "tri":
        return Problem(capital(d.frame(TRIANGLE, a=A, b=B)), Decimal(a) * Decimal(b) / 2, calculate("Half of base times height", "{0} * {1} / 2", a, b))
    if kind == "par":
        return Problem(capital(d.frame(PARALLELOGRAM, a=A, b=B)), a * b, calculate("Base times height", "{0} * {1}", a, b))
    c = side(d, u)
    if kind == "trap":
        return Problem(capital(d.frame(TRAPEZIUM, a=A, b=B, c=f"{plain(c)}{u}")), (Decimal(a) + Decimal(b)) * Decimal(c) / 2, calculate("Half of both sides times height", "({0} + {1}) * {2} / 2", a, b, c))
    if kind == "per3":
        return Problem(capital(d.frame(PER3, a=A, b=B, c=f"{plain(c)}{u}")), a + b + c, calculate("Add the sides", "{0} + {1} + {2}", a, b, c))
    name, n = d.situation(POLYGONS)
    return Problem(capital(d.frame(REGULAR, n=name, a=A)), n * a, calculate(f"{n} sides", "{0} * {1}", n, a))


def circle(d):
    u, uu = d.one(*UNITS)
    a = d.int(1, 30)
    if d.some(0.15):
        text, what = d._pick(DIAMETER, d.frames)
        d.held_frame |= held((text, what))
        return Problem(capital(d.fill(text, a=f"{a}{u}", b=f"{2 * a}{u}")), 2 * a if what else a, ("Twice the radius", (f"print(2 * {a})",)) if what else ("Half the diameter", (f"print({2 * a} // 2)",)))
    solid = d.some(0.15)
    area = d.some(0.5)
    r = "radius" if d.some(0.65) or solid else "diameter"
    q = d.one("area", "area") if area else d.one("circumference", "circumference", "perimeter")
    h = d.rng.randint(2, 20)
    wide = f"({a} / 2)" if r == "diameter" else f"{a}"
    pi = d.rng.random()
    R = Fraction(a, 2) if r == "diameter" else Fraction(a)
    if solid:
        value, expr, words = R * R * h, f"{a} ** 2 * {h}", "pi times radius squared times height"
    elif area:
        value, expr, words = R * R, f"{a} ** 2" if r == "radius" else f"({a} / 2) ** 2", "pi times radius squared"
    else:
        value, expr, words = 2 * R, f"2 * {a}" if r == "radius" else f"{a}", "pi times diameter"
    if solid:
        pick = lambda tail: d.frame(CYLINDER, a=f"{a}{u}", b=f"{h}{u}", pi=tail)
    else:
        pick = lambda tail: d.frame(CIRCLE, a=f"{a}{u}", r=r, q=q, pi=tail)
    if pi < 0.3:
        text = pick(d.one(" (use 3.14 for pi)", " with pi = 3.14", ", using 3.14 for pi", " (pi = 3.14)", ", take pi as 3.14"))
        answer = Decimal("3.14") * Decimal(value.numerator) / value.denominator
        return Problem(capital(text), answer, (words, (f"x = Decimal('3.14') * {'Decimal(' + repr(str(a)) + ')' if 'diameter' == r and '/' in expr else ''}{' ** 2 / 4' if 'diameter' == r and '/' in expr else expr}", SHOW)))
    if pi < 0.5:
        text = pick(d.one(" in terms of pi", " as a multiple of pi", " (leave pi)", " in terms of π"))
        import sympy
        answer = sympy.pi * sympy.Rational(value.numerator, value.denominator)
        exact = expr.replace(f"({a} / 2) ** 2", f"S('{a}/2') ** 2")
        return Problem(capital(text), str(answer), (words, (f"print(S('pi') * {exact})",)))
    n = d.one(1, 2, 2, 2)
    if pi < 0.75:
        text = pick(d.one(f" to {n} decimal place{'s' if n > 1 else ''}", f" rounded to {n} decimal{'s' if n > 1 else ''}", f", rounded to {n} decimal place{'s' if n > 1 else ''}"))
    else:
        text, n = pick(""), 2
    answer = round(math.pi * float(value), n)
    return Problem(capital(text), str(answer), (words + (f", {n} decimals" if pi < 0.75 else ", rounded"), (f"print(round(pi * {expr}, {n}))",)))


def box(d):
    u, _ = d.one(*UNITS)
    uu = u.strip()
    v3 = f" cubic {uu}" if len(uu) > 2 else f" {uu}³" if uu else ""
    a, b, c = (d.int(2, d.one(12, 30)) for _ in "abc")
    kind = d.rng.choice(["box", "box", "box", "surface", "height", "cube", "cube", "csurface", "back"])
    A, B, C = f"{a}{u}", f"{b}{u}", f"{c}{u}"
    f = d.situation(BOXES)
    if kind == "box":
        return Problem(capital(d.frame(BOX, f=f, a=A, b=B, c=C, q="volume")), a * b * c, ("Length times width times height", (f"print({a} * {b} * {c})",)))
    if kind == "surface":
        return Problem(capital(d.frame(BOX, f=f, a=A, b=B, c=C, q=d.one("surface area", "surface", "total surface area"))), 2 * (a * b + b * c + a * c), ("Twice the three faces", (f"a, b, c = {a}, {b}, {c}", "print(2 * (a*b + b*c + a*c))")))
    if kind == "height":
        return Problem(capital(d.frame(HEIGHT, f=f, a=A, b=B, v=f"{a * b * c}{v3}")), c, ("Volume over the base", (f"print({a * b * c} // ({a} * {b}))",)))
    if kind == "cube":
        return Problem(capital(d.frame(CUBE, a=A, q="volume")), a**3, ("Edge cubed", (f"print({a} ** 3)",)))
    if kind == "csurface":
        return Problem(capital(d.frame(CUBE, a=A, q=d.one("surface area", "surface", "total surface area"))), 6 * a * a, ("Six squares", (f"print(6 * {a} ** 2)",)))
    return Problem(capital(d.frame(CUBE_BACK, v=f"{a**3}{v3}")), a, ("The cube root of the volume", (f"print(root(S('{a**3}'), 3))",)))


THIRD = ("two angles of a triangle are {a}[°| degrees|] and {b}[°| degrees]. [What is|Find|How big is] the third [angle|one|][?|]", "a triangle has angles of {a} and {b} degrees. [What is|Find] the [third|missing|other] angle[?|]", "[find|what is] the third angle of a triangle with angles {a}[°| degrees|] and {b}[°| degrees][?|]", "the angles of a triangle are {a}°, {b}° and x. [What is|Find] x[?|]", "triangle angles {a}° and {b}°: third angle?",
    "[work out|calculate] the third angle of a triangle if the [others|other two] are {a}° and {b}°[.|]", "in a triangle, two of the angles measure {a}° and {b}°. How [big|large] is the [remaining|third] one?", "what angle is left in a triangle with {a}° and {b}° angles?", "a triangle has one angle of {a}° and another of {b}°. [What is|Find] the [last|remaining] one[?|]")
RIGHT = ("one [acute|] angle of a right triangle is {a}[°| degrees]. [What is|Find] the other [acute|] [one|angle][?|]", "in a right[-angled|] triangle one [acute|] angle is {a}[°| degrees]. How [big|large] is the other [acute angle|one]?", "[what is|find] the complement of {a}[°| degrees][?|]", "what angle is complementary to {a}[°| degrees]?",
    "{a}° and which angle make a right angle?", "two angles add up to 90°. One is {a}°. [How big is|Find] the other[?|]", "besides the right angle, a right triangle has an angle of {a}°. [What is|Find] the [third|last] one[?|]")
LINE = ("[what is|find] the supplement of {a}[°| degrees][?|]", "what angle is supplementary to {a}[°| degrees]?", "two angles [on a straight line|form a straight line]. One is {a}[°| degrees]. [What is|Find] the other[?|]", "an angle of {a}° and another one make a straight line. How big is the other?",
    "two supplementary angles: one is {a}°. [What is|Find] the other[?|]", "{a}° and which angle make 180°?", "[work out|calculate] the angle next to {a}° on a straight line[.|]")
FOURTH = ("three angles of a quadrilateral are {a}, {b} and {c} degrees. [What is|Find] the fourth[ one|][?|]", "[find|what is] the fourth angle of a quadrilateral with angles {a}°, {b}° and {c}°[?|]",
    "a quadrilateral has angles {a}°, {b}°, {c}° and x. [What is|Find] x[?|]", "in a four-sided figure three angles are {a}°, {b}° and {c}°. How big is the [last|fourth|remaining] one?")
ISOSCELES = ("[the|] [angle at the top|vertex angle|angle between the equal sides] of an isosceles triangle is {a}[°| degrees]. [How big is|What is|Find] a base angle[?|]",
    "an isosceles triangle has {a}° between its equal sides. [How big is|Find] each base angle[?|]", "how big are the base angles of an isosceles triangle with a vertex angle of {a}°?")
ISOBASE = ("[a|each] base angle of an isosceles triangle is {a}[°| degrees]. [What is|Find] the [angle at the top|vertex angle|third angle][?|]", "an isosceles triangle has base angles of {a}[°| degrees]. How big is the [third|other] angle?",
    "the [two|] base angles of an isosceles triangle are {a}° each. How big is the [other|third|vertex] angle?")
SUM_ANGLES = ("[what is|find] the sum of the [interior|inner|] angles of a {n}[?|]", "the [interior|] angles of a {n} add up to how many degrees?", "how many degrees do the angles of a {n} have [together|in all]?", "sum of the interior angles of a {n}?",
    "what do the interior angles of a {n} add up to?", "[add up|work out the sum of] all the interior angles of a {n}[.|]")
EACH_ANGLE = ("[what is|find|how big is] [each|one|an] [interior|inner] angle of a regular {n}[?|]", "how many degrees has [each|one] angle of a regular {n}?",
    "[work out|calculate] the [size of one|size of each] interior angle of a regular {n}[.|]", "a regular {n}: how many degrees is each interior angle?")
SIDES = ("how many [sides|corners|vertices] [has|does] a {n} [have|][?|]",)


def angles(d):
    kind = d.rng.randrange(9)
    a = d.rng.randint(10, 110)
    b = d.rng.randint(10, 170 - a)
    if kind <= 2:
        return Problem(capital(d.frame(THIRD, a=a, b=b)), 180 - a - b, ("All three make 180", (f"print(180 - {a} - {b})",)))
    if kind == 3:
        a = d.rng.randint(1, 89)
        return Problem(capital(d.frame(RIGHT, a=a)), 90 - a, ("Both make 90", (f"print(90 - {a})",)))
    if kind == 4:
        a = d.rng.randint(1, 179)
        return Problem(capital(d.frame(LINE, a=a)), 180 - a, ("Both make 180", (f"print(180 - {a})",)))
    if kind == 5:
        a, b, c = (d.rng.randint(40, 118) for _ in "abc")
        return Problem(capital(d.frame(FOURTH, a=a, b=b, c=c)), 360 - a - b - c, ("All four make 360", (f"print(360 - {a} - {b} - {c})",)))
    if kind == 6:
        if d.some(0.5):
            a = d.rng.randint(5, 85) * 2
            return Problem(capital(d.frame(ISOSCELES, a=a)), (180 - a) // 2, ("Two equal ones with it make 180", (f"print((180 - {a}) // 2)",)))
        a = d.rng.randint(10, 85)
        return Problem(capital(d.frame(ISOBASE, a=a)), 180 - 2 * a, ("All three make 180", (f"print(180 - 2 * {a})",)))
    name, n = d.situation(POLYGONS)
    if kind == 7:
        return Problem(capital(d.frame(SUM_ANGLES, n=name)), (n - 2) * 180, (f"A {name} has {n} corners", (f"print(({n} - 2) * 180)",)))
    if n == 7:
        return None
    return Problem(capital(d.frame(EACH_ANGLE, n=name)), (n - 2) * 180 // n, (f"A {name} has {n} corners", (f"print(({n} - 2) * 180 // {n})",)))


TRIPLES = tuple((a, b, c) for c in range(5, 110) for b in range(4, c) for a in (int(math.isqrt(c * c - b * b)),) if a * a + b * b == c * c and a < b)
HYPOTENUSE = ("[the legs of a right triangle are|a right triangle has legs] {a} and {b}. [How long is|What is|Find] the hypotenuse[?|]", "[find|what is|calculate] the hypotenuse of a right[-angled|] triangle with [legs|sides|the legs] {a} and {b}[?|]", "[how long is|what is|find] the diagonal of a rectangle [with sides|of|with] {a} and {b}[?|]", "a rectangle is {a} by {b}. How long is its diagonal?", "hypotenuse, legs {a} and {b}?", "{s} walks {a} north and {b} east. How far [from the start|away] is {s}?", "a right triangle with [short sides|legs] of {a} and {b}: the longest side?", "a [field|screen|door] is {a} long and {b} wide. How long is the diagonal?", "[the shorter sides|two sides that meet at the right angle] are {a} and {b}. What is the [third|longest] side of the right triangle?",
    "[work out|determine] the longest side of a right[-angled|] triangle whose [legs|shorter sides|two short sides] are {a} and {b}[.|]", "how far is it from corner to opposite corner of a [rectangular field|rectangle|rectangular room] {a} by {b}?", "[what is|find|calculate] the length of the diagonal of a [rectangle|rectangular field|rectangular screen] measuring {a} by {b}[?|]", "{s} goes {a} [east|west] and then {b} north. [What is the straight distance back to the start|How far from the start is {s} now]?", "a ladder stands {a} from a wall and reaches {b} up it. How long is the ladder?", "the foot of a ladder is {a} from the wall and its top is {b} up. [Find the length of the ladder|How long is it][?|]", "right triangle, legs {a} and {b}, hypotenuse?", "rectangle {a} by {b}, diagonal?", "the two legs of a right triangle measure {a} and {b}. [Find|Calculate|What is] the hypotenuse[?|]")
LEG = ("a right triangle has [a|the] hypotenuse {c} and [one leg|a leg|one side] {a}. [How long is|What is|Find] the other [leg|one|side][?|]", "[find|what is] the [other|missing|second] leg of a right triangle with hypotenuse {c} and leg {a}[?|]", "a ladder [of|that is] {c} [long|] leans against a wall. Its foot is {a} from the wall. How high does it reach?", "a ladder [of|] {c} reaches {a} high. How far is its foot from the wall?", "hypotenuse {c}, one leg {a}: the other leg?", "the diagonal of a rectangle is {c}, one side {a}. [What is|Find] the other side[?|]",
    "in a right[-angled|] triangle the hypotenuse is {c} and one leg is {a}. [How long is|Find|Work out] the other leg[?|]", "right triangle, hypotenuse {c}, leg {a}, other leg?", "how high up a wall does a ladder of {c} reach if its foot is {a} away [from the wall|]?", "the foot of a {c} ladder is {a} from the wall. [What height does it reach|How far up does it reach]?", "a rectangle has a diagonal of {c} and one side of {a}. How long is the other side?", "the longest side of a right triangle is {c}, another is {a}. [What is|Find] the third[ side|][?|]", "[work out|calculate] the missing side of a right triangle: hypotenuse {c}, leg {a}[.|]")


def pythagoras(d):
    u, _ = d.one(*UNITS)
    a, b, c = d.rng.choice(TRIPLES[:30] if d.some(0.7) else TRIPLES)
    if d.some(0.5):
        a, b = b, a
    if d.some(0.6):
        if d.some(0.12):
            a, b = d.rng.randint(1, 12), d.rng.randint(1, 12)
            import sympy
            return Problem(capital(d.frame(HYPOTENUSE, a=f"{a}{u}", b=f"{b}{u}", s=d.one("Tom", "Mia"))), str(sympy.sqrt(a * a + b * b)), ("Pythagoras", (f"print(sqrt(S('{a}') ** 2 + {b} ** 2))",)))
        return Problem(capital(d.frame(HYPOTENUSE, a=f"{a}{u}", b=f"{b}{u}", s=d.one("Tom", "Mia"))), c, ("Pythagoras", (f"print(sqrt(S('{a}') ** 2 + {b} ** 2))",)))
    return Problem(capital(d.frame(LEG, a=f"{a}{u}", c=f"{c}{u}")), b, ("Pythagoras", (f"print(sqrt(S('{c}') ** 2 - {a} ** 2))",)))


TOPICS = ((flat, 12), (circle, 5), (box, 6), (angles, 6), (pythagoras, 5))
