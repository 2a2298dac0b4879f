"""What has no answer here: no mathematics at all, mathematics beyond school, questions that lack what they need."""
import string

from . import people
from .grammar import Problem, WORDS
from .people import COUNTED, GOODS, NAMES, PLACES, Person, capital

LANDS = "France Japan Brazil Kenya Norway India Peru Egypt Poland Canada Spain Chile Ghana Nepal Greece Cuba Iran Mexico Italy Austria Turkey Vietnam Morocco Portugal Finland Australia Iceland Ireland Germany China Thailand Hungary".split()
CITIES = "Paris London Rome Tokyo Berlin Madrid Cairo Lima Oslo Delhi Vienna Athens Boston Sydney Prague Dublin Nairobi Istanbul Moscow Warsaw Lisbon Seoul Chicago Toronto Venice Florence Geneva Munich".split()
WORKS = ("Faust", "the Iliad", "Don Quixote", "Dracula", "Emma", "the Odyssey", "Moby Dick", "Carmen", "the Bible", "Ulysses", "Walden", "Utopia", "Candide", "the Decameron", "Peter Pan", "Frankenstein", "Macbeth", "Othello", "War and Peace", "Anna Karenina", "The Magic Flute", "Hard Times", "Robinson Crusoe", "the Ninth Symphony", "The Little Prince", "Tosca")
FAMOUS = ("Napoleon", "Einstein", "Mozart", "Cleopatra", "Gandhi", "Newton", "Darwin", "Picasso", "Caesar", "Columbus", "Beethoven", "Lincoln", "Shakespeare", "Plato", "Galileo", "Curie", "Bach", "Aristotle", "Elvis", "Churchill", "Marco Polo", "Gauss", "Euler", "Confucius", "Homer", "Edison", "Tesla", "Van Gogh", "Goethe", "Washington")
ANIMALS = "elephant lion dog cat whale bear horse penguin spider shark owl fox tiger rabbit wolf giraffe frog eagle bat dolphin camel monkey parrot turtle cow hen goat mouse".split()
SUBJECTS = "love war time peace history music art religion politics football cooking travel nature friendship winter the_sea the_moon rain autumn freedom school birds gardens coffee spring my_cat the_sky dreams a_river night snow trains summer money happiness justice courage chess ballet opera".split()
DOINGS = ("bake bread", "make tea", "fix a bike", "learn to swim", "cook rice", "write a letter", "tie a tie", "grow tomatoes", "paint a wall", "play chess", "plant a tree", "make a cake", "sleep better", "lose weight", "find a job", "clean a carpet", "draw a horse", "play the piano", "learn French", "train a dog", "build a chair", "install Linux", "boil an egg", "dance the tango", "open a window", "drive a car", "start a business", "make friends")
THINGS = ("glass", "steel", "bread", "gold", "a rainbow", "an atom", "a verb", "gravity", "rain", "a volcano", "democracy", "cheese", "a cell", "DNA", "thunder", "a comet", "inflation", "a poem", "electricity", "light", "the sun", "a star", "wood", "silk", "paper", "a virus", "the internet", "a computer", "salt", "the moon", "a sonnet", "photosynthesis", "oxygen", "blood", "jazz", "money", "a black hole", "chocolate")
TONGUES = "French German Spanish Latin Italian Chinese Russian Greek Arabic Japanese Dutch Turkish Polish".split()
PHRASES = ("good morning", "thank you", "I love you", "where is the station", "how are you", "see you tomorrow", "the cat sleeps", "happy birthday", "water", "friend", "house", "dog", "goodbye", "yes", "a red apple")

GENERAL = (
    ("[who|tell me who|do you know who] [wrote|composed|painted|created|translated|published] {work}[?|]", "n"), ("[what is|what's|name|tell me|do you know] the [capital|president|language|currency|flag|largest city|king|national dish|anthem|highest mountain|longest river] of {land}[?|]", "n"), ("[when|where|how|in which year] [was|did] {famous} [born|die|live|grow up|become famous|marry][?|]", "n"), ("[who|what] [was|is] {famous}[?|]", "n"), ("[where|in which country|on which continent] is {city}[?|]", "n"),
    ("[what is|what are|explain|describe|define|tell me about|what do you know about] {thing}[?|.|]", "n"), ("[how|why] [is|does] {thing} [made|work|form|important|called so][?|]", "n"), ("[what|where|how] [does|do] [a|an|the] {animal} [eat|live|sleep|look like|sound][?|]", "n"), ("[is|are] [a|an] {animal} [a mammal|dangerous|bigger than a {animal2}|faster than a {animal2}|a bird][?|]", "n"), ("why [do|does|is|are] {animal}s [sleep|hunt|migrate|so loud|live in groups|have tails][?|]", "n"),
    ("[write|compose|please write|can you write|give me] [a|an] [poem|song|story|essay|letter|joke|speech|haiku|novel|short text|limerick] about {subject}[.|?|]", "n"), ("[how|where] [do I|can I|should I|does one|do you] {doing}[?|]", "n"), ("[translate|please translate] [\"|]{phrase}[\"|] [into|to] {tongue}[.|]", "n"), ("[what|how] [is|do you say|does one say] [\"|]{phrase}[\"|] in {tongue}[?|]", "n"), ("[what is|how is] the weather [like|] [today|tomorrow|] in {city}[?|]", "n"), ("[will it|is it going to] [rain|snow|be warm|be windy] [today|tomorrow|on Sunday] [in {city}|][?|]", "n"),
    ("[what is|what's] your [name|favourite colour|age|opinion on {subject}|hobby|favourite {animal}|job][?|]", "n"), ("[who|what] are you[?|]", "n"), ("[do you|can you] [like|love|hate|know|remember|enjoy] {subject}[?|]", "n"), ("[tell me|give me|I want] [a joke|something about {subject}|a story|news|a secret|a recipe for {subject}|advice][.|]", "n"), ("[recommend|suggest] [a book|a film|a restaurant in {city}|a song|a gift for my {rel}|a game][.|]", "n"), ("[which|what] [team|country|player|film|song] [won|is the best|is the worst|was first] [in {land}|last year|]?", "n"),
    ("[what|which] [colour|color|shape|smell|taste] [is|has] [a|an|the] {animal}[?|]", "n"), ("[should I|can I] [buy a {animal}|marry {name}|move to {city}|learn {tongue}|quit my job|trust {name}][?|]", "n"), ("[who|which person] [discovered|invented|founded|built|conquered] [{land}|{city}|the {animal2}|radio|the wheel|paper|the telephone|penicillin|the steam engine][?|]", "n"), ("[what|which] [rhymes with|is the opposite of|is another word for|is the plural of|means] [\"|]{word}[\"|][?|]", "n"), ("[how do you spell|spell|pronounce] [\"|]{word}[\"|][?|]", "n"),
    ("[the|a|my] {animal} [is|was|looks] [ill|happy|hungry|lost|asleep][.|!| What now?]", "n"), ("[hello|hi|good morning|good evening|thanks|bye|thank you][!|.| {name}!|]", "n"), ("[I am|I feel|we are] [tired|sad|happy|bored|hungry|in love|late][.|!|]", "n"), ("[summarise|summarize|review|explain] {work}[.|]", "n"), ("[what is|what's] the [meaning|plot|moral|theme|author|message] of {work}[?|]", "n"), ("[what happened|who ruled|who lived] in {land} in {year}[?|]", "n"), ("[in|on] [which|what] [year|date|century|continent] [was|is] [{city} founded|{land} founded|the war over|{famous} king][?|]", "n"),
    ("[how|what] [old|tall|rich|big|famous] is [the president of {land}|the king of {land}|{famous}|my {rel}|the oldest {animal}][?|]", "n"), ("how [far|long|many hours|many kilometres] is it from {city} to {city2}[?|]", "n"), ("how many people live in [{city}|{land}][?|]", "n"), ("[when|what time] [does the shop open|does school start|is lunch|is the next bus|is the match|is Easter|do banks close][?|]", "n"), ("[what time|what day|what date] is it [now|today|][?|]", "n"), ("how [much|expensive] is [a {good}|gold|a flight to {city}|a house in {city}|bitcoin] [today|now|][?|]", "n"), ("how [deep|high|long|wide|heavy|old|hot] is [the sea|the Nile|Everest|the Moon|the Sun|the Earth|a {animal}|the Eiffel tower|the universe][?|]", "n"),
    ("[write|show|give] [me|] [code|a program|a function|a script] [that|to] [sorts a list|opens a file|prints {word}|draws a {animal}|sends mail] [in Python|in C|in Java|][.|]", "n"), ("[fix|correct|check] [this|the] [sentence|text|spelling|grammar]: {phrase}[.|]", "n"), ("[is|are] [there|] [life on Mars|ghosts real|god real|{name} nice|the Earth flat|unicorns real][?|]", "n"), ("[play|sing|read|show] [me|] [a song|some music|{work}|a picture of a {animal}][.|]", "n"), ("[call|text|email|remind] [my {rel}|{name}|the police|me] [tomorrow|now|at noon|][.|]", "n"), ("my {rel} [asked|wants to know|says|told me] [why the sky is blue|about {subject}|that {name} is late|who {famous} was][.|?|]", "n"),
    ("the quick {animal} jumps over the lazy {animal2}[.|]", "n"), ("{city} is [the capital of|a city in|far from] {land}[.|, right?| - true?]", "n"), ("what [would|did|does] {famous} [say|think|eat|write|do] about {subject}[?|]", "n"), ("[compare|contrast] {subject} and {subject2}[.|]", "n"), ("[list|name|give] [three|five|some|two] [cities in {land}|kinds of {animal}|books by {famous}|colours|planets|rivers in {land}|words in {tongue}][.|]", "n"), ("[wie|was|wo] [ist|heißt|kostet] [das|der Hund|die Stadt|{word}][?|]", "n"), ("[quelle|où|qui] est [la ville|le chat|{word}][?|]", "n"), ("[¿|]qué [es|significa] {word}[?|]", "n"))
RELATIVES = "mother father sister brother uncle aunt friend boss teacher dog neighbour wife husband cousin grandmother".split()
LEMMAS = "orange purple happy quick mouse child tree window silver month river heart light running beautiful strange garden people goose love night home quiet letter".split()

BEYOND = (
    "[prove|show|prove that|explain why] [the square root of {a} is irrational|there are infinitely many primes|every even number above 2 is the sum of two primes|the angles of a triangle add up to 180 degrees|{a} divides n^{b} - n|the sum of two odd numbers is even|pi is irrational|x^{b} + y^{b} = z^{b} has no solution][.|]",
    "[solve|find all solutions of] the differential equation [y' = y^2 + x|y'' + {a}y = sin(x)|dy/dx = x*y^{b}|y''' = y + {a}][.|]", "[find|calculate|what is] the [determinant|inverse|eigenvalues|rank|trace] of [the matrix|] [[{a}, {b}], [{c}, {e}]]".replace("[[{a}, {b}], [{c}, {e}]]", "(({a}, {b}), ({c}, {e}))") + "[?|.|]",
    "[is|prove|disprove] the [Riemann hypothesis|Goldbach conjecture|Collatz conjecture|twin prime conjecture|continuum hypothesis|axiom of choice|Poincaré conjecture] [true|][?|.|]", "[how many|classify the|find all] groups of order {a}[?|.|]", "[what is|compute|find] the [Fourier|Laplace] transform of [sin({a}t)|e^(-{b}t)|t^{b}|cos({a}x)][?|.|]", "[what is|find|compute] the [fundamental group|homology|cohomology|Euler characteristic] of [the torus|a sphere|the Klein bottle|a circle|the projective plane][?|.|]",
    "[let|suppose] [G be a group of order {a}|M be a compact manifold|f be a continuous function|V be a vector space|R be a commutative ring|ABC be an acute triangle|K be a field]. [Show|Prove] that [G is abelian|M is orientable|f is bounded|V has a basis|R has a maximal ideal|the altitudes meet in one point|K has an algebraic closure][.|]", "[what is|calculate|find] the [limit|value] of [the product of all primes|zeta({a})|the harmonic series|{a} to infinity|infinity minus infinity|infinity times {a}][?|]",
    "[what is|calculate|how much is|] {a} [divided by|/|over] [0|zero][?|=|]", "[what is|] [the last digit of pi|the largest number|the largest prime|the number before infinity|infinity plus {a}|the biggest integer|0/0|the last prime][?|]", "[how many|what is the number of] [real numbers are there|integers are there|points are on a line|primes are there|fractions are between {a} and {c}][?|]", "[state|explain|what is|what says] [the|] [Bayes theorem|central limit theorem|fundamental theorem of algebra|chain rule|law of large numbers|Pythagorean theorem|mean value theorem|binomial theorem|Noether theorem][?|.|]",
    "[what is|define|explain] [a|an] [prime|vector|group|ring|manifold|matrix|eigenvalue|integral|logarithm|derivative|topology|tensor|field|function|Hilbert space|fraction|polynomial][?|.|]", "[who|when] [invented|discovered|introduced] [calculus|zero|algebra|the number pi|negative numbers|geometry|the abacus|logarithms][?|]", "[draw|plot|sketch|graph] [y = x^{b}|the function sin({a}x)|a triangle with sides {a}, {b}, {c}|a circle of radius {a}|the line y = {a}x + {b}][.|]", "[construct|draw] [a regular {n}-gon|an angle of {a} degrees|the bisector of an angle] with [compass and ruler|ruler and compass][.|]",
    "[why|how] [is|does|do|are] [minus times minus plus|long division work|logarithms useful|we need fractions|the quadratic formula true|pi irrational|0! equal to 1|prime numbers important][?|]", "[evaluate|compute] the [contour|line|surface|path|triple] integral of [1/z|F|z^{b}|curl F|x^{a}y] [over|around|along] [the unit circle|the sphere|S|C][.|]", "[determine|decide] whether the series [of 1/n^{b}|sum of 1/(n log n)|of sin(n)/n|of (-1)^n/n] [converges|is absolutely convergent][.|]", "[square the circle|trisect an angle of {a} degrees|double the cube] [with ruler and compass|][.|]",
    "[let f be a function with f(x+y) = f(x) + f(y). Find all such f|find all functions f with f(f(x)) = x + {a}|find all integers n such that n^{b} + {c} is a perfect square|find all primes p with p^2 + {a} prime][.|]")
MISSING = (
    "{s} {has} {a} {t}.", "{s} bought {a} {t} and {b} {u}.", "how many {t} does {s} have[?|]", "{s} has some {t} and {q} has {a} more. How many does {s} have?", "how many {t} are [in the box|on the table|there]?", "how old is {s}[?|]", "{s} is older than {q}. How old is {q}?", "a {good} costs {a} dollars. How old is the [seller|captain|shopkeeper]?", "how much [does|is] a {good} [cost|][?|]", "a rectangle has length {a}. What is its area?", "a triangle has an angle of {a} degrees. What are the others?", "[what is|find] x[?|.]", "x + y = {a}. [What is|Find] x[?|]", "the sum of two numbers is {a}. [What are they|What is the larger one]?",
    "{s} drives to {city}. How long does it take?", "a car goes {a} km. How fast is it?", "there are {a} {t} and {b} {u} [in a bag|on a ship]. How old is {s}?", "[{s}|a man] has [some|many|a few|several] {t}. He gives {a} away. How many [are left|does he have]?", "what is the price of {a} {t}?", "{s} earns money. How much [is it|does {he} save]?", "what is the average of the numbers?", "what is the next number?", "how many {t} did {q} eat?", "how much [change|money] does {s} get back?", "a box is {a} cm long. What is its volume?", "which number am I thinking of?", "guess my number", "the train leaves at {a} o'clock. When does it arrive?",
    "how far does {s} walk in {a} hours?", "how much is {a} percent?", "what is the {t} plus the {u}?", "{a} {t}", "{a}", "{a} {b}", "what is the perimeter of the garden?", "{s} read {a} pages. How many pages does the book have?", "{s} shares {his} {t} with {q}. How many does each get?", "how many {t} fit in {a} {c}?", "how many days until {s}'s birthday?", "what is the probability that {s} wins?", "the area of a room is given. What is its length?", "{a} + ", "+ {a} =", "= {a}", "{a} plus", "how much is plus {a} times?", "solve the equation", "calculate", "please solve this", "[2x|x + {a}] = [?|]", "what is the sum?", "add the numbers")


def slots(d):
    p = Person(d)
    word = lambda rows: d.situation(rows).replace("_", " ")
    n = lambda: d.rng.randint(2, 60)
    return dict(p.slots(d), q=d.one(*NAMES), work=word(WORKS), land=word(LANDS), city=word(CITIES), city2=word(CITIES), famous=word(FAMOUS), thing=word(THINGS), animal=word(ANIMALS), animal2=word(ANIMALS), subject=word(SUBJECTS), subject2=word(SUBJECTS), doing=word(DOINGS), phrase=word(PHRASES), tongue=word(TONGUES), name=d.one(*NAMES),
                rel=d.one(*RELATIVES), word=word(LEMMAS), year=d.rng.randint(1000, 2020), good=word(GOODS), t=d.situation(COUNTED), u=d.situation(COUNTED), c=d.one(*PLACES), a=n(), b=d.rng.randint(2, 9), e=n(), n=d.rng.randint(5, 17))


def no_mathematics(d):
    text = d.frame([t for t, _ in GENERAL], **slots(d)).replace(" a elephant", " an elephant").replace(" a owl", " an owl").replace(" a eagle", " an eagle")
    return Problem(capital(text), "")


def beyond(d):
    s = slots(d)
    s["c"] = d.rng.randint(2, 30)
    return Problem(capital(d.frame(BEYOND, **s)), "")


def incomplete(d):
    return Problem(capital(d.frame(MISSING, **slots(d)).replace("does I", "do I").replace("I has", "I have")), "")


def noise(d):
    """Letters, words and signs without sense."""
    kind = d.rng.randrange(4)
    if kind == 0:
        return Problem("".join(d.rng.choice(string.ascii_lowercase + "     ") for _ in range(d.rng.randint(3, 30))).strip() or "qwx", "")
    if kind == 1:
        words = d.rng.sample(LEMMAS + COUNTED + DOINGS[0].split() + WORDS[:3] + LANDS + ANIMALS, d.rng.randint(2, 8))
        return Problem(" ".join(words), "")
    if kind == 2:
        return Problem("".join(d.rng.choice("?!.,;:-+*/()=<>#$%&@") for _ in range(d.rng.randint(1, 8))), "")
    words = d.rng.sample(LEMMAS + list(map(str, range(1, 30))) + ["plus", "is", "of", "the", "what", "how"] + COUNTED[:20], d.rng.randint(3, 8))
    return Problem(" ".join(words) + d.one("?", "", "."), "")


TOPICS = ((no_mathematics, 9), (beyond, 4), (incomplete, 5), (noise, 1))
