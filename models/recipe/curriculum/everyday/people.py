"""Who and what the stories are about."""
import re

from ..words import PEOPLE, PLACES, THINGS

MALE = set("Ben David Farid Hugo Jonas Kofi Omar Quentin Sam Victor Xavier Yusuf Amir Chen Diego Hassan Jack Karim Noah Peter Tom Max Leo Paul "
           "Tim Ali Marco Felix Oscar Henry Ivan Raj Luis Adam Erik Nico Theo George Frank Simon".split())
NAMES = sorted(set(PEOPLE) | MALE | set("Sara Anna Julia Eva Nina Clara Laura Alice Lily Sofia Priya Aisha Mei Yuki Leila Hannah Ruth Kate Molly Jane Ella Ivy".split()))
PLACES = sorted(set(PLACES) | set("cartons cases drawers pages trays bowls packets buckets tins racks barrels folders".split()))
# The people of a story: (subject, he/she/they/I, his/her).  Verbs are put in the past, where they do not change.
ROLES = ("a farmer", "a baker", "a teacher", "a gardener", "my brother", "my sister", "my uncle", "my aunt", "a shopkeeper", "the cook", "a florist", "a collector", "my grandmother", "my neighbour", "a builder",
         "the librarian", "a painter", "a boy", "a girl", "my friend", "a tailor", "the coach", "my mother", "my father", "a fisherman", "a student", "a carpenter", "the school", "a shop", "the club", "a hotel", "the team", "a museum")
COUNTED = sorted(set(THINGS) | set(
    "pens notebooks erasers rulers crayons markers stickers badges balloons bricks bananas cherries grapes peaches tomatoes potatoes carrots onions mushrooms biscuits muffins doughnuts sandwiches pizzas "
    "chocolates sweets candies peanuts walnuts chairs tables lamps bulbs boxes bottles spoons forks knives glasses mugs towels socks shirts gloves hats scarves beads rings pearls feathers rocks pebbles leaves roses "
    "tulips daisies seeds plants trees bushes stickers postcards letters envelopes posters magazines comics tiles planks screws nails bolts batteries cables discs games puzzles dolls cars trucks kites drums pictures "
    "fish birds ducks hens sheep goats cows horses rabbits puppies kittens turtles frogs ants bees butterflies tokens points tickets tins jars cans ribbons buttons pins clips folders masks flags stars lollipops pancakes dumplings".split()))
CROWDS = (("people", "on the bus", "got on", "got off"), ("passengers", "on the train", "boarded", "left"), ("birds", "on the wire", "landed", "flew away"), ("cars", "in the car park", "arrived", "drove off"),
          ("children", "in the playground", "came", "went home"), ("guests", "at the party", "arrived", "left"), ("fish", "in the pond", "were added", "were taken out"), ("books", "on the shelf", "were put back", "were borrowed"),
          ("students", "in the class", "joined", "moved away"), ("ducks", "on the lake", "came", "swam off"), ("visitors", "in the museum", "came in", "went out"), ("eggs", "in the fridge", "were added", "were used"),
          ("apples", "on the tree", "grew", "fell down"), ("sheep", "in the field", "came in", "ran out"), ("players", "on the field", "joined", "were sent off"), ("cookies", "on the plate", "were baked", "were eaten"),
          ("bikes", "in the shed", "were brought", "were taken"), ("letters", "in the box", "arrived", "were collected"), ("ships", "in the harbour", "came in", "sailed off"), ("tents", "on the field", "were put up", "were taken down"),
          ("customers", "in the shop", "came in", "left"), ("chairs", "in the hall", "were brought in", "were carried out"), ("bees", "in the garden", "came", "flew off"), ("planes", "at the airport", "landed", "took off"))
GOODS = ("pen", "book", "ticket", "shirt", "cake", "ball", "lamp", "bag", "cup", "chair", "toy", "plant", "sandwich", "coffee", "notebook", "pencil", "hat", "mug", "cookie", "apple", "melon", "magazine", "poster", "bottle of water", "loaf of bread",
         "box of tea", "kite", "puzzle", "ruler", "scarf", "towel", "pizza", "burger", "muffin", "stamp", "battery", "game", "ice cream", "doughnut", "candle", "comic", "brush", "cable", "bucket", "basket", "jar of jam", "bus ride", "tea", "juice",
         "newspaper", "postcard", "eraser", "glove", "pillow", "vase", "key ring", "sticker set", "bowl of soup", "carton of milk", "bag of rice")
DEAR = ("jacket", "bike", "phone", "pair of shoes", "coat", "watch", "tablet", "dress", "laptop", "table", "sofa", "camera", "guitar", "jumper", "backpack", "pair of jeans", "sweater", "television", "suit", "desk", "printer", "radio", "helmet", "tent", "skirt",
        "blanket", "mattress", "bed", "fridge", "washing machine", "microwave", "oven", "carpet", "monitor", "keyboard", "headset", "drone", "scooter", "skateboard", "mirror")
CURRENCY = (("$", ""), ("$", ""), ("", " dollars"), ("", " dollars"), ("", " euros"), ("€", ""), ("£", ""), ("", " pounds"), ("", " €"), ("", " coins"), ("", " francs"), ("", " EUR"), ("", " USD"), ("", " rupees"), ("", " crowns"))
DISTRACTORS = ("It is a sunny day.", "{she} is {n} years old.", "It is raining.", "The shop closes at {n} o'clock.", "{she} lives at number {n}.", "Today is Monday.", "{she} likes music.", "{she} has {n} cousins.", "There are {n} houses in the street.",
               "It is {n} degrees outside.", "{she} got up at {n}.", "The door is green.", "The trip took {n} minutes.", "{she} wears a red hat.", "The room is on floor {n}.", "It is {n} May.", "{she} is in class {n}.")


class Person:
    def __init__(self, d):
        r = d.rng.random()
        if r < 0.16:
            self.who, self.he, self.his, self.me = "I", "I", "my", True
        else:
            self.who = d.situation(NAMES) if r < 0.8 else d.situation(ROLES)
            self.me = False
            male = self.who in MALE or any(w in self.who for w in ("brother", "uncle", "boy", "father", "fisherman"))
            thing = any(w in self.who for w in ("school", "shop", "club", "hotel", "team", "museum")) and "keeper" not in self.who
            female = self.who in NAMES or any(w in self.who for w in ("sister", "aunt", "girl", "grandmother", "mother"))
            self.he, self.his = ("it", "its") if thing else ("he", "his") if male else ("she", "her") if female else d.one(("he", "his"), ("she", "her"))

    def slots(self, d, prefix="s"):
        """{s} the subject, {he} again, {his}, {do} for questions, {has}, {is}, {es} the ending of a verb in the present."""
        return {prefix: self.who, "he": self.he, "his": self.his, "does": "do" if self.me else "does", "has": "have" if self.me else "has", "is": "am" if self.me else "is", "es": "" if self.me else "s", "was": "was"}


def distract(d, person, text, share=0.07):
    """A sentence that does not matter, before the question."""
    if not d.some(share) or ". " not in text:
        return text
    she = person.he.capitalize() if person and not person.me and person.he != "it" else "My friend"
    extra = d.frame(DISTRACTORS, she=she, n=d.rng.randint(2, 30))
    head, _, tail = text.rpartition(". ")
    return f"{head}. {extra} {tail}"


CAPITAL = re.compile(r"(^|[.?!] )([a-z](?=[a-z'])|a(?= [a-z]{2}))")


def capital(text):
    """Capitals where sentences begin, but not for a letter that is a name."""
    return CAPITAL.sub(lambda m: m.group(1) + m.group(2).upper(), text)
