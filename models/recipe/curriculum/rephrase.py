"""The same problem in a person's words: other phrases, implicit products, ^, other spacing, capital or no capital.

The solution stays as it is: it is written from the original text, so the model learns to read 3x as 3*x.  Everything
here is general (families of phrases); nothing is written for a particular problem.
"""
import re

N = r"(-?\d*\.?\d+(?:/\d+)?)"            # a number
C = r"((?:(?!\. [A-Z]).)+?)"              # a part of one sentence
ASK = r"(?:Calculate|What is|Find|Give|Determine|Work out) "

SWAPS = [
    # Equations and systems.
    (r"^Solve ([^=]+ = [^,=]+) for ([a-z])\.$",
     ["What is {1} if {0}?", "Find {1} if {0}.", "If {0}, what is {1}?", "{0}, {1} = ?", "solve {0}", "Solve for {1}: {0}", "Given {0}, find {1}.",
      "Find the value of {1} when {0}.", "What value of {1} makes {0} true?", "Solve the equation {0}.", "If {0} then {1} = ?", "{0}. What is {1}?",
      "For which {1} is {0}?", "I know that {0}. What is {1}?", "Find the solution of {0}.", "Determine {1} from {0}.", "{0}, what is {1}?"]),
    (r"^Solve ([^=]+ = [^=]+), ([^=]+ = [^=]+) for ([a-z])\.$",
     ["If {0} and {1}, what is {2}?", "Solve the system {0}, {1} for {2}.", "Find {2} given {0} and {1}.", "{0} and {1}. What is {2}?",
      "Solve {0} and {1} for {2}.", "Given that {0} and {1}, find {2}.", "What is {2} if {0} and {1}?", "Find {2} if {0} and {1}.",
      "Solve the simultaneous equations {0} and {1} for {2}.", "{0}, {1}, {2} = ?", "What is the value of {2} when {0} and {1}?"]),
    (r"^(?:Solve|Find|What is|Determine) (?:([a-z]) (?:such that|given that|so that|in|if) )?([^=,]+ = [^=,]+?)(?: for ([a-z]))?[.?]$",
     ["Find the roots of {1}.", "What are the solutions of {1}?", "Solve {1}.", "Find all solutions of {1}.", "For which values is {1}?",
      "solve the equation {1}", "What are the roots of {1}?"]),
    (r"^(?:Let|Suppose) ([^=,]+ = 0)\. (?:Calculate|What is) ([a-z])[.?]$",
     ["Find {1} if {0}.", "What is {1} if {0}?", "Solve {0} for {1}.", "Find all {1} with {0}.", "What are the solutions of {0}?"]),
    (r"^Factor (.+)\.$", ["Factorise {0}.", "Factor the polynomial {0}.", "Factorize {0}", "Write {0} as a product of factors.", "What is {0} in factored form?",
                          "Find the factors of {0}.",
      "Factor {0} completely.", "Factor the expression {0}.", "Split {0} into factors."]),
    # Sequences.
    (r"^What (?:is next in|comes next:|is the next term in) (.+)\?$",
     ["Which number follows {0}?", "Continue the sequence {0}.", "{0}, ?", "What number comes after {0}?", "Find the next number: {0}", "{0}, what comes next?",
      "What is the next number in {0}, ...?", "What is the next number in the sequence {0}?", "What follows {0}?", "{0}, ... What is next?"]),
    (r"^What is the ([a-z])'th term of (.+)\?$",
     ["Find a formula for the {0}th term of {1}.", "Give the {0}th term of the sequence {1}.", "What is term number {0} of {1}?",
      "Find the general term in {0} of the sequence {1}, ...", "What is the {0}-th term of {1}?"]),
    # Arithmetic in words.
    (rf"^(?:Calculate |What is |Work out )?{N} ?\+ ?{N}[.?]?$",
     ["{0} plus {1}", "What is {0} plus {1}?", "How much is {0} plus {1}?", "Add {0} and {1}.", "What do you get if you add {0} and {1}?", "{0} + {1} = ?",
      "Find the sum of {0} and {1}.", "How much is {0} + {1}?", "{0}+{1}", "Compute {0} + {1}.", "{0} and {1} together make how much?"]),
    (rf"^(?:Add|Sum|Put together|Total of|Add together|What is the sum of) {N} and {N}[.?]$",
     ["How much is {0} plus {1}?", "What is {0} + {1}?", "Find the sum of {0} and {1}.", "{0} + {1} = ?", "What do {0} and {1} add up to?", "{0} added to {1}",
      "What is the total of {0} and {1}?", "Compute the sum {0} + {1}"]),
    (rf"^(?:Calculate |What is |Work out )?{N} ?- ?{N}[.?]?$",
     ["{0} minus {1}", "What is {0} minus {1}?", "How much is {0} minus {1}?", "{0} - {1} = ?", "What is {0} take away {1}?", "Compute {0} - {1}.", "{0}-{1}",
      "How much is left if you take {1} from {0}?", "What remains of {0} after taking away {1}?"]),
    (rf"^Subtract {N} from {N}\.$", ["Take {0} away from {1}.", "What do you get when you subtract {0} from {1}?", "What is {0} less than {1}?", "How much is {1} minus {0}?"]),
    (rf"^(?:What is the difference between|Total difference of) {N} and {N}\?$",
     ["Find the difference between {0} and {1}.", "How far apart are {0} and {1}?", "By how much do {0} and {1} differ?"]),
    (rf"^(?:Calculate |What is |Work out )?{N} ?\* ?{N}[.?]?$",
     ["{0} times {1}", "How much is {0} times {1}?", "What is {0} multiplied by {1}?", "{0} x {1}", "{0} × {1}", "What is {0} x {1}?", "{0} * {1} = ?",
      "Find the product of {0} and {1}.", "Compute {0} times {1}.", "{0}*{1}", "Multiply {0} by {1}."]),
    (rf"^(?:What is |Work out )?{N} times {N}[.?]?$",
     ["How much is {0} times {1}?", "{0} x {1} = ?", "{0} × {1}", "Compute {0} times {1}.", "Find {0} times {1}", "{0} multiplied by {1}", "What is {0} * {1}?"]),
    (rf"^(?:Multiply|Product of|What is the product of) {N} and {N}[.?]$",
     ["What do you get if you multiply {0} by {1}?", "{0} x {1}", "Find {0} times {1}.", "{0} × {1} = ?", "Multiply {0} by {1}", "How much is {0} multiplied by {1}?",
      "Find the product of {0} and {1}."]),
    (rf"^(?:Calculate |What is )?{N} divided by {N}[.?]?$",
     ["How much is {0} divided by {1}?", "{0} / {1}", "{0} over {1}", "Compute {0} / {1}.", "{0} ÷ {1}", "What is {0} ÷ {1}?", "What is {0}/{1}?", "Find {0} divided by {1}."]),
    (r"^Divide (\S+) by (\S+)\.$", ["What is {0} over {1}?", "{0} / {1}", "How much is {0} divided by {1}?", "{0} ÷ {1} = ?", "What do you get if you divide {0} by {1}?",
                                    "Compute {0} divided by {1}."]),
    (r"^(?:Calculate|Evaluate|What is|What is the value of|Work out) ([-+*/()\d. ]+)[.?]$",
     ["{0} = ?", "How much is {0}?", "Compute {0}.", "Find the value of {0}.", "{0}", "what is {0}", "Calculate {0}", "What does {0} equal?", "What is the result of {0}?",
      "Simplify {0}.", "{0} ="]),
    (r"^In base (\d+), what is (.+) \+ (.+)\?$", ["Add {1} and {2} in base {0}.", "Calculate {1} + {2} in base {0}.", "What is {1} + {2} in base {0}?",
                                                  "In base {0}, how much is {1} plus {2}?"]),
    (r"^In base (\d+), what is (.+) - (.+)\?$", ["Calculate {1} - {2} in base {0}.", "What is {1} - {2} in base {0}?", "In base {0}, how much is {1} minus {2}?",
                                                 "In base {0}, subtract {2} from {1}."]),
    (r"^What is (.+) to the power of 1/(\d+), to the nearest integer\?$",
     ["Find {0} to the power 1/{1}, rounded to an integer.", "What is {0}^(1/{1}) rounded to the nearest integer?", "Compute {0}**(1/{1}) to the nearest integer."]),
    (r"^What is the (\w+ root) of (\d+) to the nearest integer\?$",
     ["Find the {0} of {1}, rounded to the nearest integer.", "What is the {0} of {1} rounded to a whole number?", "Round the {0} of {1} to the nearest integer.",
      "Which integer is nearest to the {0} of {1}?", "The {0} of {1} to the nearest whole number"]),
    (r"^Simplify (.*sqrt.*)\.$", ["Write {0} in simplest form.", "Simplify the expression {0}.", "What is {0} in simplest form?", "Simplify the surd {0}.", "{0} simplified"]),
    # Divisors, primes, digits.
    (rf"^{ASK}the (?:greatest|highest) common (?:factor|divisor) of (.+) and (.+?)[.?]$",
     ["Find the gcd of {0} and {1}.", "gcd of {0} and {1}", "What is the largest number that divides both {0} and {1}?", "gcd({0}, {1})", "What is the GCD of {0} and {1}?",
      "Find the greatest common divisor of {0} and {1}.", "Find the largest common divisor of {0} and {1}.", "hcf of {0} and {1}", "What is the biggest common factor of {0} and {1}?"]),
    (rf"^{ASK}the (?:lowest|least|smallest) common multiple of (.+) and (.+?)[.?]$",
     ["Find the lcm of {0} and {1}.", "lcm of {0} and {1}", "What is the smallest number that both {0} and {1} divide?", "lcm({0}, {1})", "What is the LCM of {0} and {1}?",
      "Find the least common multiple of {0} and {1}.", "What is the smallest number divisible by both {0} and {1}?"]),
    (rf"^{ASK}the common denominator of (.+) and (.+?)[.?]$",
     ["What is the least common denominator of {0} and {1}?", "Find a common denominator for {0} and {1}.", "What is the lowest common denominator of {0} and {1}?"]),
    (r"^(?:Calculate|What is) the remainder when (.+) is divided by (.+?)[.?]$",
     ["What is {0} mod {1}?", "What remains when {0} is divided by {1}?", "Find the remainder of {0} divided by {1}.", "What is the remainder of {0} divided by {1}?",
      "If you divide {0} by {1}, what is the remainder?", "{0} mod {1}", "Find the remainder when dividing {0} by {1}.", "What is left over when {0} is divided by {1}?"]),
    (r"^Is (\S+) (?:a prime number|prime)\?$", ["Tell me if {0} is prime.", "Is the number {0} prime?", "Is {0} a prime?", "Is it true that {0} is prime?", "{0} is prime, true or false?",
                                                "Check whether {0} is a prime number.", "True or false: {0} is prime."]),
    (r"^Is (\S+) (?:a composite number|composite)\?$", ["Is the number {0} composite?", "Tell me if {0} is composite.", "True or false: {0} is composite.",
                                                        "Check whether {0} is a composite number."]),
    (r"^Is (\S+) a multiple of (\S+)\?$", ["Is {0} divisible by {1}?", "Can {0} be divided by {1}?", "True or false: {0} is a multiple of {1}.", "Is {0} divisible by {1} without remainder?"]),
    (r"^Is (\S+) a factor of (\S+)\?$", ["Is {0} a divisor of {1}?", "Is {1} divisible by {0}?", "Does {0} go into {1}?", "True or false: {0} is a factor of {1}."]),
    (r"^Does (\S+) divide (\S+)\?$", ["Is {1} divisible by {0}?", "Is {0} a divisor of {1}?", "Does {0} divide {1} evenly?", "Can you divide {1} by {0} without remainder?"]),
    (r"^(?:What are|List) the prime factors of (.+?)[.?]$",
     ["Which primes divide {0}?", "Find the prime factors of {0}.", "Which prime numbers are factors of {0}?", "prime factors of {0}", "What are the prime divisors of {0}?",
      "Give the prime factors of {0}."]),
    (r"^What is the ([a-z ]+) digit of (\S+)\?$", ["Which digit is in the {0} place of {1}?", "Find the {0} digit of {1}.", "In {1}, what is the {0} digit?", "Give the {0} digit of {1}.",
                                                   "What digit is in the {0} place in {1}?"]),
    (r"^(?:Convert |What is )?(\S+) \(base (\d+)\) (?:to|in) base (\d+)[.?]?$",
     ["Write {0} (base {1}) in base {2}.", "Convert {0} from base {1} to base {2}.", "What is {0} from base {1} in base {2}?", "{0} in base {1} to base {2}",
      "What is the base {1} number {0} in base {2}?"]),
    (r"^Round (\S+) to (.+)\.$", ["Round off {0} to {1}.", "Give {0} rounded to {1}.", "What do you get if you round {0} to {1}?", "What is {0} to {1}?", "round {0} to {1}",
      "Please round {0} to {1}.", "Round the number {0} to {1}.", "{0} to {1}", "Rounded to {1}, what is {0}?"]),
    (r"^What is (\S+) rounded to (.+)\?$", ["Round {0} to {1}.", "Round the number {0} to {1}.", "{0} rounded to {1}", "Give {0} to {1}."]),
    # Calculus and polynomials.
    (r"^(?:Find|What is) the (?:first )?derivative of (.+) wrt ([a-z])[.?]$",
     ["Differentiate {0} in {1}.", "Find d/d{1} of {0}.", "What is the derivative of {0} with respect to {1}?", "Differentiate {0} with respect to {1}.", "d/d{1} {0}",
      "Take the derivative of {0} by {1}.", "What do you get if you differentiate {0} with respect to {1}?"]),
    (r"^(?:Find|What is) the (?:first )?derivative of ([^w]+)[.?]$",
     ["Differentiate {0}.", "derivative of {0}", "Take the derivative of {0}.", "What do you get when you differentiate {0}?", "Compute the derivative of {0}."]),
    (r"^Differentiate (.+) (?:wrt|with respect to) ([a-z])\.$", ["What is the derivative of {0} with respect to {1}?", "Find the derivative of {0} in {1}.", "Find d/d{1} of {0}.",
                                                                "Compute the derivative of {0} with respect to {1}."]),
    (r"^(?:Find|What is) the (second|third) derivative of (.+) wrt ([a-z])[.?]$",
     ["Compute the {0} derivative of {1} with respect to {2}.", "Give the {0} derivative of {1} in {2}.", "What is the {0} derivative of {1} with respect to {2}?"]),
    (r"^(?:Find|What is) the (second|third) derivative of ([^w]+)[.?]$",
     ["Compute the {0} derivative of {1}.", "{0} derivative of {1}", "What do you get when you take the {0} derivative of {1}?"]),
    (r"^Expand (.+)\.$", ["Multiply out {0}.", "Expand and simplify {0}.", "Expand the brackets: {0}", "What is {0} expanded?", "Expand the product {0}.", "expand {0}",
      "Remove the brackets in {0}.", "Write {0} without brackets.", "Multiply out the brackets: {0}"]),
    (r"^Collect the terms in (.+)\.$", ["Simplify {0}.", "Collect like terms: {0}", "Combine like terms in {0}.", "What is {0} simplified?", "Add up the terms of {0}.", "simplify {0}"]),
    (r"^Simplify (.+) assuming ([a-z]) is positive\.$", ["Simplify {0} for positive {1}.", "Write {0} as a single power of {1}, with {1} positive.", "Simplify {0}, where {1} is positive.",
                                                         "What is {0} as one power of {1}?"]),
    (r"^(?:Express|Rearrange) (.+) (?:in the form|as|to the form|to) (.+) and give ([a-z])\.$",
     ["Write {0} in the form {1}. What is {2}?", "If {0} is written as {1}, what is {2}?", "Bring {0} to the form {1} and tell me {2}.", "Write {0} as {1} and find {2}."]),
    (rf"^Let (\w\(\w\)) = {C}\. (?:What is|Calculate|Give|Determine) (\w\(-?\w+\))[.?]$",
     ["If {0} = {1}, what is {2}?", "{0} = {1}. Find {2}.", "Given {0} = {1}, compute {2}.", "What is {2} if {0} = {1}?", "For {0} = {1}, find {2}.", "Find {2} when {0} = {1}.",
      "Evaluate {2} for {0} = {1}.", "A function is given by {0} = {1}. What is {2}?", "{0} = {1}, {2} = ?"]),
    (rf"^Let (\w\(\w\)) = {C}\. Let (\w\(\w\)) = {C}\. (?:What is|Calculate|Give|Determine) (.+?)[.?]$",
     ["If {0} = {1} and {2} = {3}, what is {4}?", "{0} = {1}, {2} = {3}. Find {4}.", "Given {0} = {1} and {2} = {3}, find {4}.", "For {0} = {1} and {2} = {3}, compute {4}.",
      "Find {4} if {0} = {1} and {2} = {3}."]),
    (rf"^Let ([a-z]) = {C}\. (?:What is|Calculate|Give|Determine) (.+?)[.?]$", ["If {0} = {1}, what is {2}?", "Find {2} for {0} = {1}.", "{0} = {1}. Find {2}.", "Given {0} = {1}, find {2}."]),
    # Comparison.
    (r"^Which is (?:bigger|greater): (\S+) or (\S+)\?$", ["Which is larger, {0} or {1}?", "What is bigger, {0} or {1}?", "Which number is greater: {0} or {1}?", "Which of {0} and {1} is larger?",
                                                         "What is the larger of {0} and {1}?", "max of {0} and {1}",
      "Of {0} and {1}, which is the bigger one?", "{0} or {1}: which is greater?", "Is {0} or {1} larger?", "Which one is bigger, {0} or {1}?"]),
    (r"^Which is smaller: (\S+) or (\S+)\?$", ["Which is less, {0} or {1}?", "What is smaller, {0} or {1}?", "Which number is smaller: {0} or {1}?", "Which of {0} and {1} is smaller?",
                                              "What is the smaller of {0} and {1}?", "min of {0} and {1}",
      "Of {0} and {1}, which is the smaller one?", "{0} or {1}: which is less?", "Is {0} or {1} smaller?", "Which one is smaller, {0} or {1}?"]),
    (r"^Is (\S+) (?:greater|bigger) than (\S+)\?$", ["Is {0} > {1}?", "Is {0} more than {1}?", "Is {0} larger than {1}?", "True or false: {0} > {1}",
      "Is {0} above {1}?", "Is it true that {0} is greater than {1}?", "Does {0} exceed {1}?", "Is {0} the larger one, compared with {1}?", "{0} > {1}?"]),
    (r"^Is (\S+) (?:less|smaller) than (\S+)\?$", ["Is {0} < {1}?", "Is {0} lower than {1}?", "True or false: {0} < {1}",
      "Is {0} below {1}?", "Is it true that {0} is less than {1}?", "{0} < {1}?", "Is {0} under {1}?"]),
    (r"^Is (\S+) at least as big as (\S+)\?$", ["Is {0} >= {1}?", "Is {0} at least {1}?", "Is {0} no less than {1}?",
      "{0} >= {1}?", "Is {0} greater than or equal to {1}?", "Is {0} not smaller than {1}?"]),
    (r"^Is (\S+) at most as big as (\S+)\?$", ["Is {0} <= {1}?", "Is {0} at most {1}?", "Is {0} no more than {1}?",
      "{0} <= {1}?", "Is {0} less than or equal to {1}?", "Is {0} not larger than {1}?"]),
    (r"^(?:Are|Do) (\S+) and (\S+) (?:equal|have the same value)\?$", ["Is {0} equal to {1}?", "Is {0} = {1}?", "Are {0} and {1} the same number?",
      "{0} = {1}?", "Does {0} equal {1}?", "Is {0} the same as {1}?", "True or false: {0} = {1}"]),
    (r"^(?:Sort|Put) (.+?)(?: in (?:increasing|ascending) order)\.$",
     ["Sort {0} from smallest to largest.", "Order {0} from least to greatest.", "Arrange {0} in ascending order.", "Put these numbers in order, smallest first: {0}", "Sort in increasing order: {0}",
      "Write {0} in order from small to large.",
      "Sort these numbers from low to high: {0}", "Rank {0} from smallest to biggest.", "{0}: smallest to largest", "Arrange from smallest to largest: {0}"]),
    (r"^Sort (.+)\.$", ["Put {0} in order.", "Order {0}.", "Sort the numbers {0}.", "Arrange {0} in order."]),
    (r"^Put (.+) in (?:decreasing|descending) order\.$",
     ["Sort {0} from largest to smallest.", "Order {0} from greatest to least.", "Arrange {0} in descending order.", "Put these numbers in order, largest first: {0}", "Sort in decreasing order: {0}",
      "Sort these numbers from high to low: {0}", "Rank {0} from biggest to smallest.", "{0}: largest to smallest", "Arrange from largest to smallest: {0}"]),
    (r"^What is the (?:nearest|closest) to (\S+) in (.+)\?$",
     ["Which of {1} is closest to {0}?", "Which number in {1} is nearest to {0}?", "Find the number closest to {0} among {1}.", "Out of {1}, which is nearest to {0}?",
      "Among {1}, which number is closest to {0}?", "Which value out of {1} comes closest to {0}?", "Nearest to {0}: {1}?"]),
    (r"^Which is the (?:nearest|closest) to (\S+)\?  (.+)$", ["Which of these is closest to {0}?  {1}", "Which one is nearest to {0}?  {1}", "What is closest to {0}?  {1}"]),
    (r"^What is the ((?:\w+ )?)biggest value in (.+)\?$",
     ["What is the {0}largest of {1}?", "Find the {0}largest number in {1}.", "Which is the {0}biggest of {1}?", "Which of {1} is the {0}largest?", "What is the {0}greatest number among {1}?",
      "Among {1}, which is the {0}largest?", "Out of {1}, find the {0}biggest.", "Pick the {0}largest of {1}.", "{0}largest of {1}"]),
    (r"^What is the ((?:\w+ )?)smallest value in (.+)\?$",
     ["What is the {0}smallest of {1}?", "Find the {0}smallest number in {1}.", "Which of {1} is the {0}smallest?", "Which is the {0}lowest of {1}?", "What is the {0}least number among {1}?",
      "Among {1}, which is the {0}smallest?", "Out of {1}, find the {0}smallest.", "Pick the {0}smallest of {1}.", "{0}smallest of {1}"]),
    (r"^Which is the ((?:\w+ )?)biggest value\?  (.+)$", ["Which is the {0}largest?  {1}", "Which of these is the {0}greatest?  {1}", "Pick the {0}largest value:  {1}"]),
    (r"^Which is the ((?:\w+ )?)smallest value\?  (.+)$", ["Which of these is the {0}smallest?  {1}", "Pick the {0}smallest value:  {1}", "Which is the {0}least?  {1}"]),
    # Time, units, chance.
    (r"^What is (\d+) minutes after (.+)\?$", ["What time is it {0} minutes after {1}?", "What time will it be {0} minutes after {1}?", "It is {1}. What time will it be in {0} minutes?",
                                               "What time comes {0} minutes later than {1}?", "Add {0} minutes to {1}.",
      "A clock shows {1}. What does it show {0} minutes later?", "If it is {1} now, what time is it in {0} minutes?", "A film begins at {1} and lasts {0} minutes. When does it end?", "{0} minutes after {1}", "{1} plus {0} minutes"]),
    (r"^What is (\d+) minutes before (.+)\?$", ["What time is it {0} minutes before {1}?", "What time was it {0} minutes before {1}?", "It is {1}. What time was it {0} minutes ago?",
                                                "What time comes {0} minutes earlier than {1}?",
      "A clock shows {1}. What did it show {0} minutes before?", "If it is {1} now, what time was it {0} minutes earlier?", "A train needs {0} minutes and arrives at {1}. When does it leave?", "{0} minutes before {1}", "{1} minus {0} minutes"]),
    (r"^How many minutes are there between (.+) and (.+)\?$", ["How many minutes is it from {0} to {1}?", "How many minutes pass between {0} and {1}?", "From {0} to {1}, how many minutes are that?",
                                                             "How long is it from {0} to {1} in minutes?",
      "A lesson begins at {0} and ends at {1}. How many minutes does it last?", "How many minutes after {0} is {1}?", "What is the time from {0} to {1} in minutes?", "Count the minutes from {0} to {1}.", "How many minutes lie between {0} and {1}?"]),
    (r"^How many (\w+) are there in (.+)\?$", ["How many {0} are in {1}?", "How many {0} is {1}?", "{1} is how many {0}?", "Convert {1} to {0}", "How many {0} make {1}?", "{1} in {0}", "What is {1} in {0}?",
      "How many {0} does {1} have?", "How many {0} are equal to {1}?", "Turn {1} into {0}.", "Write {1} in {0}.", "{1} equals how many {0}?", "{1} to {0}", "Give {1} in {0}."]),
    (r"^What is (.+) in (\w+)\?$", ["Convert {0} to {1}.", "{0} to {1}", "How many {1} are {0}?", "Express {0} in {1}.", "Change {0} into {1}.", "How many {1} is {0}?",
      "{0} is how many {1}?", "How many {1} are there in {0}?", "{0} = how many {1}?", "Write {0} in {1}.", "Turn {0} into {1}.", "{0} in {1}?"]),
    (r"^Convert (.+) to (\w+)\.$", ["How many {1} are {0}?", "What is {0} in {1}?", "Express {0} in {1}.", "{0} = ? {1}", "Change {0} to {1}", "How many {1} are there in {0}?",
      "{0} in {1}", "{0} is how many {1}?", "Turn {0} into {1}.", "How many {1} make {0}?", "Write {0} in {1}.", "convert {0} into {1}"]),
    (r"^(?:What is|Calculate|Give) prob of (.+) when (\w+ letters) picked without replacement from (.+?)[.?]$",
     ["What is the probability of {0} when {1} are picked without replacement from {2}?", "If {1} are picked without replacement from {2}, what is the probability of {0}?",
      "{1} are drawn without replacement from {2}. Find the probability of {0}.", "Find the chance of {0} if {1} are drawn from {2} without replacement.",
      "Calculate the probability of {0} when {1} are drawn without replacement from {2}.", "{1} are taken from {2} without putting them back. What is the probability of {0}?", "How likely is {0} when {1} are picked without replacement from {2}?"]),
    (r"^(\w+ letters) picked without replacement from (.+)\. (?:What is|Calculate|Give) prob of (.+?)[.?]$",
     ["{0} are picked without replacement from {1}. What is the probability of {2}?", "{0} are drawn from {1} without replacement. What is the chance of {2}?",
      "What is the probability of {2} if {0} are taken from {1} without replacement?",
      "{0} are taken out of {1} without replacement. How likely is {2}?", "From {1}, {0} are picked without replacement. Give the probability of {2}.", "If {0} are drawn without replacement from {1}, what is the probability of {2}?"]),
]

# What a clause, and the question at the end, may begin with instead.
HEADS = [
    (r"(?:^|(?<=[.?] ))Let (\w) be ", ["Let {0} = ", "Define {0} = ", "Let {0} equal ", "Put {0} = ", "Set {0} = "]),
    (r"(?:^|(?<=[.?] ))Let (\w(?:\(\w\))?) = ", ["Define {0} = ", "Set {0} = ", "Suppose that {0} = ", "We have {0} = ", "{0} = "]),
    (r"(?:^|(?<=[.?] ))Suppose (?=\S)", ["Suppose that ", "Assume ", "Assume that ", "Given that ", "We know that ", "It is known that "]),
    (r"(?:^|(?<=[.?] ))(?:Calculate|Determine|Give|Find|Evaluate|Work out) ", ["Find ", "Compute ", "Determine ", "Calculate ", "Work out ", "Tell me "]),
    (r"(?:^|(?<=[.?] ))What is ([^?]+)\?$", ["What's {0}?", "Find {0}.", "Tell me {0}.", "what is {0}", "Compute {0}.", "Calculate {0}."]),
]
ORDERS = "Solve Calculate Find Evaluate Simplify Factor Expand Sort Convert Round Determine Multiply Divide Add Collect List Compute Differentiate Subtract".split()
COURTESY = ["Please {0}", "Can you {0}", "Could you {0}", "I need to {0}", "Help me {0}", "I want to {0}"]
OTHERS = ["Exercise: {0}", "Question: {0}", "{0} Please.", "{0} Thanks.", "Hi! {0}", "Hello, {0}", "Q: {0}"]


def implicit(text, rng):
    """3*x as 3x, (x)*(y) as (x)(y), x**2 as x^2."""
    if rng.random() < 0.7:
        text = re.sub(r"(?<![\w*.)])(\d+)\*([a-z])\b", r"\1\2", text)
        text = re.sub(r"(?<![\w*.)])(\d+)\*\(", r"\1(", text)
    if rng.random() < 0.4:
        text = text.replace(")*(", ")(")
    if rng.random() < 0.8:
        text = text.replace("**", "^")
    elif rng.random() < 0.5:
        text = re.sub(r"\*\*2\b", "²", re.sub(r"\*\*3\b", "³", text))
    return text


def tight(text, rng):
    """No blanks around signs, or around = alone."""
    return re.sub(r"(?<=\S) ([-+*/=]) (?=[^\s-])" if rng.random() < 0.6 else r"(?<=\S) ([-+*/]) (?=[^\s-])", r"\1", text)


def phrase(text, rng):
    matches = [(m, forms) for m, forms in ((re.match(pattern, text), forms) for pattern, forms in SWAPS) if m]
    if matches:
        match, forms = rng.choice(matches)
        return rng.choice(forms).format(*match.groups())
    return text


def heads(text, rng):
    for pattern, forms in HEADS:
        if rng.random() < 0.6:
            text = re.sub(pattern, lambda m: rng.choice(forms).format(*m.groups()), text)
    return text


def record(original, rng):
    """A copy of a record with its problem said differently (or the same, where there is no other way)."""
    text = original["problem"]
    if rng.random() < 0.8:
        text = phrase(text, rng)
    if rng.random() < (0.35 if text != original["problem"] else 0.8):
        text = heads(text, rng)
    if re.search(r"\d\*[a-z(]|\*\*|\)\*\(", text) and rng.random() < 0.6:
        text = implicit(text, rng)
    if "(a)" not in text and rng.random() < 0.2:
        text = tight(text, rng)
    if rng.random() < 0.05 and len(text) > 1:
        if text.split()[0] in ORDERS and rng.random() < 0.7:
            text = rng.choice(COURTESY).format(text[0].lower() + text[1:])
        else:
            text = rng.choice(OTHERS).replace("{0}", text)
    if rng.random() < 0.15:
        text = text.rstrip(".?")
    if rng.random() < 0.15 and len(text) > 1 and text[0].isupper() and text[1].islower():
        text = text[0].lower() + text[1:]
    return dict(original, problem=text, original=original["problem"])
