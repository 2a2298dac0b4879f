-- Answers: extraction, equality, normalisation.
SET client_min_messages = warning;
CREATE EXTENSION rstar;
RESET client_min_messages;

-- properties
SELECT proname, provolatile, proisstrict, proparallel
  FROM pg_proc WHERE proname IN ('rstar_answers_equal', 'rstar_extract_answer', 'rstar_answer_normalize', 'rstar_answers_equal_symbolic',
       'rstar_split_steps', 'rstar_run_steps')
 ORDER BY proname;
SELECT has_function_privilege('public', 'rstar_answers_equal(text, text)', 'EXECUTE') AS everybody_compares,
       has_function_privilege('public', 'rstar_answers_equal_symbolic(text, text)', 'EXECUTE') AS everybody_asks_sympy,
       has_function_privilege('public', 'rstar_run_steps(text, integer)', 'EXECUTE') AS everybody_runs;

-- extraction
SELECT rstar_extract_answer(t)
  FROM (VALUES ('First \boxed{1}, then $\boxed{\frac{1}{2}}$.'), ('\boxed{2} and \boxed{3}'),
               (E'3 + 4 = 7\n#### 7'), ('The answer is $x + 1$. I hope it is correct.'),
               ('<answer>So it is 42 <end_of_answer>'), ('(1, 2)'), ('\boxed{}'), (''), (NULL)) v(t);

-- equal
SELECT gold, answer, rstar_answers_equal(gold, answer) AS equal
  FROM (VALUES ('\frac{1}{2}', '0.5'), ('3\frac{1}{2}', '7/2'), ('11,\! 111', '11111'), ('2^{2007}', '2 \cdot 2^{2006}'),
               ('3\sqrt{13}', '\sqrt{117}'), ('\sin^2 x', '1 - \cos^2 x'), ('\frac{1}{3}', '0.3333333333333333'),
               ('-1, 2', 'x = 2 \text{ or } x = -1'), ('-2 < x < 5', 'x \in (-2, 5)'), ('28\%', '0.28'),
               ('125', '125 \text{ miles}'), ('12 \text{ cm}', '0.12 m'), ('y = 2x + 1', 'y - 3 = 2(x - 1)'),
               ('C', '\text{(C)}'), ('\text{No}', 'no.'), ('4:57 PM', '16:57'), ('\begin{pmatrix}1\\2\end{pmatrix}', '(1, 2)'),
               ('5', 'Thus $x = \boxed{5}$.'), ('2102_8', '2102_{8}'), ('\pm 3', '3, -3'), ('\text{Größe}', 'größe.')) v(gold, answer);

-- as SymPy and Python print them, in words, with units, in sentences
SELECT gold, answer, rstar_answers_equal(gold, answer) AS equal
  FROM (VALUES ('e^3', 'E**3'), ('1-2i', '1 - 2*I'), ('[2,7)', 'Interval.Ropen(2, 7)'), ('x=4,y=-1', '{x: 4, y: -1}'),
               ('\begin{pmatrix}3&5\\7&9\end{pmatrix}', 'Matrix([[3, 5], [7, 9]])'), ('\frac{5}{8}', 'Fraction(5, 8)'),
               ('-1 < x \le 6', '(-1 < x) & (x <= 6)'), ('\begin{pmatrix}3\\6\end{pmatrix}', '3\begin{pmatrix}1\\2\end{pmatrix}'),
               ('(1,2]', '(0,2]\cap(1,4)'), ('34', 'thirty-four'), ('\frac{3}{4}', 'three quarters'), ('7', '7th'), ('\frac29', '0.(2)'),
               ('1101_2', '0b1101'), ('10:00 PM', '10 p.m.'), ('150 minutes', '2 hours 30 minutes'), ('8\text{ s}', '8'),
               ('x^{12} \le 3', 'x¹² ≤ 3'), ('41', 'So there are **41** of them.'), ('6', 'The answer is 6, which is even.'),
               ('B', '(B) 17')) v(gold, answer);

-- not equal
SELECT gold, answer, rstar_answers_equal(gold, answer) AS equal
  FROM (VALUES ('\frac{1}{3}', '0.33'), ('123456788', '123456789'), ('[0,1)', '[0,1]'), ('(2,5)', '(5,2)'), ('12 cm', '12 m'),
               ('3', '\boxed{3 \text{ or } 4}'), ('5', '\boxed{}'), ('', ''), ('0', '\frac{1}{0}'), ('x = 5', 'y = 5'),
               ('\sqrt{x^2}', 'x'), ('\pi', '355/113'), ('e^{\pi\sqrt{163}}', '262537412640768744')) v(gold, answer);
-- a text is not its last number, nor a sentence what it denies
SELECT gold, answer, rstar_answers_equal(gold, answer) AS equal
  FROM (VALUES ('9', 'x is greater than 9.'), ('3', 'math.sqrt(3)'), ('8', 'It is half of 8.'), ('6', 'between 4 and 6'), ('4', '4 dozen'),
               ('11', 'The answer is not 11'), ('11', 'The answer is 11. That is wrong.'), ('B', 'The answer is not B'), ('B', '(B) or (C)'),
               ('678', '\boxed{6 7 8}'), ('4', '4 fifths'), ('-2', '<answer>-2<x<9</answer>'), ('5', 'If x is 5, we are done.')) v(gold, answer);
SELECT rstar_answers_equal(NULL, '1') IS NULL AS null_gives_null, rstar_answers_equal('1', NULL) IS NULL AS null_gives_null;

-- hostile: quick, and no error
SELECT rstar_answers_equal('5', repeat('{', 1000000)), rstar_answers_equal('5', '9^{9^{9^{9}}}'),
       rstar_answers_equal('5', repeat('\frac{1}{1+', 10000)), rstar_answers_equal(repeat('7', 1000000), repeat('7', 1000000));

-- in parallel workers and in an index
SELECT rstar_answer_normalize(t)
  FROM (VALUES ('\dfrac{1}{2}'), ('0.50'), ('$ 1{,}000 $.'), ('\boxed{(1, \frac{4}{6})}'), ('\left( x + 1 \right)'), ('\text{Größe}'), ('')) v(t);
CREATE TEMP TABLE answers (answer text);
CREATE INDEX ON answers (rstar_answer_normalize(answer));
INSERT INTO answers VALUES ('1/2'), ('0.5'), ('\frac12'), ('2');
SELECT rstar_answer_normalize(answer) AS answer, count(*) FROM answers GROUP BY 1 ORDER BY 1;
DROP TABLE answers;

-- what only SymPy decides; natively decided ones do not ask it
SET rstar.sandbox_timeout = '20s';
SET rstar.sandbox_cpu_timeout = '20s';
SELECT gold, answer, rstar_answers_equal(gold, answer) AS native, rstar_answers_equal_symbolic(gold, answer) AS symbolic
  FROM (VALUES ('\sum_{k=1}^{n} k', '\frac{n(n+1)}{2}'), ('\sum_{k=1}^{n} k', '\frac{n(n-1)}{2}'),
               ('\int_0^1 x^2 dx', '\frac{1}{3}'), ('\frac12', '0.5'), ('2', '3'),
               ('(1, 2)', '\sum_{k=1}^{2} k'), ('\text{print(1)}', '\sum_{k=1}^{2} k'), ('', '1')) v(gold, answer);
SELECT rstar_answers_equal_symbolic(NULL, '1') IS NULL AS null_gives_null;
DROP EXTENSION rstar;
