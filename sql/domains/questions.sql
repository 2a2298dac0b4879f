-- questions.sql: questions over a small database that a query answers, as problems of rstar.
--
--     psql -X -v ON_ERROR_STOP=1 -v role=shop_reader -f sql/domains/questions.sql mydatabase
--
-- Makes schemas shop and shop_check, with the same tables and different data, lets the role (which is
-- made if it is not there, and must have no other rights) read them, and enters 208 questions: 52
-- templates in four variants. A query is right if it gives the right rows in both schemas, so naming the
-- rows of one of them does not do. One template in four is held out (split 'test'), with all its
-- variants. The reference query is the problem's answer; a model sees the statement alone.

\if :{?role}
\else
	\set role shop_reader
\endif

BEGIN;
SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = :'role') AS missing \gset
\if :missing
	CREATE ROLE :"role" NOLOGIN;
\endif

-- --- the data: the same every time -----------------------------------------------------------------

-- A number from 0 to n - 1 that looks as if it had been drawn.
CREATE FUNCTION pg_temp.drawn(key text, n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS
	$$ SELECT (('x' || substr(md5(key), 1, 7))::bit(28)::integer) % n $$;

CREATE FUNCTION pg_temp.make_shop(shop text, customers integer, orders integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE SCHEMA %I', shop);
	EXECUTE format('SET LOCAL search_path = %I, pg_temp', shop);
	CREATE TABLE customers (id integer PRIMARY KEY, name text, city text, joined date);
	CREATE TABLE products (id integer PRIMARY KEY, name text, category text, price numeric(8, 2), stock integer);
	CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer REFERENCES customers, ordered date, shipped date);
	CREATE TABLE items (order_id integer REFERENCES orders, product_id integer REFERENCES products, quantity integer,
	                    PRIMARY KEY (order_id, product_id));
	INSERT INTO customers
		SELECT i, (ARRAY['Ada', 'Ben', 'Cleo', 'Dan', 'Eva', 'Finn', 'Gina', 'Hugo', 'Ines', 'Jon', 'Kira', 'Leo'])[1 + (i - 1) % 12]
		          || CASE WHEN i > 12 THEN ' ' || chr(64 + i / 12) ELSE '' END,
		       (ARRAY['Oslo', 'Rome', 'Paris', 'Bonn', 'Lima'])[1 + pg_temp.drawn(shop || ' city ' || i, 5)],
		       date '2021-01-01' + pg_temp.drawn(shop || ' joined ' || i, 1400)
		  FROM generate_series(1, customers) i;
	INSERT INTO products
		SELECT i, (ARRAY['pen', 'book', 'cup', 'lamp', 'chair', 'desk', 'vase', 'clock', 'bowl', 'shelf', 'rug', 'mirror', 'box', 'brush', 'radio', 'plant'])[i],
		       (ARRAY['office', 'kitchen', 'living', 'garden'])[1 + (i + pg_temp.drawn(shop || ' category ' || i, 2)) % 4],
		       (1 + pg_temp.drawn(shop || ' price ' || i, 120)) + (ARRAY[0, 0.5, 0.99])[1 + pg_temp.drawn(shop || ' cents ' || i, 3)],
		       pg_temp.drawn(shop || ' stock ' || i, 40)
		  FROM generate_series(1, 16) i WHERE shop = 'shop' OR i NOT IN (10, 12, 14);
	INSERT INTO orders
		SELECT i, 1 + pg_temp.drawn(shop || ' customer ' || i, customers - customers / 8), date '2022-01-01' + pg_temp.drawn(shop || ' ordered ' || i, 1460),
		       NULL
		  FROM generate_series(1, orders) i;
	UPDATE orders SET shipped = ordered + 1 + pg_temp.drawn(shop || ' shipped ' || id, 9) WHERE pg_temp.drawn(shop || ' open ' || id, 6) > 0;
	INSERT INTO items
		SELECT o.id, p.id, 1 + pg_temp.drawn(shop || ' quantity ' || o.id || ' ' || p.id, 5)
		  FROM orders o, products p WHERE pg_temp.drawn(shop || ' item ' || o.id || ' ' || p.id, 7) = 0;
END $$;

SELECT pg_temp.make_shop('shop', 18, 120), pg_temp.make_shop('shop_check', 29, 170) \g /dev/null
SET LOCAL search_path = public;
GRANT USAGE ON SCHEMA shop, shop_check TO :"role";
GRANT SELECT ON ALL TABLES IN SCHEMA shop, shop_check TO :"role";
SELECT rstar_verifier_create('shop', 'sql', schemas => '{shop,shop_check}', role => :'role', replace => true) \g /dev/null

-- --- the questions -----------------------------------------------------------------------------------

-- %1$s and %2$s stand for a variant's values, in the question and in the query; %3$s for the second as
-- SQL says it.
CREATE TEMP TABLE template (id integer GENERATED ALWAYS AS IDENTITY, question text, query text, a text[], b text[]) ON COMMIT DROP;
INSERT INTO template (question, query, a, b) VALUES
	('How many customers live in %1$s?', 'SELECT count(*) FROM customers WHERE city = ''%1$s''', '{Oslo,Rome,Paris,Bonn}', NULL),
	('What are the names of the products in category %1$s, in alphabetical order?', 'SELECT name FROM products WHERE category = ''%1$s'' ORDER BY name', '{office,kitchen,living,garden}', NULL),
	('List name and price of the products that cost more than %1$s, the dearest first and, at the same price, by name.', 'SELECT name, price FROM products WHERE price > %1$s ORDER BY price DESC, name', '{20,50,70,90}', NULL),
	('What is the average price of the products in category %1$s?', 'SELECT avg(price) FROM products WHERE category = ''%1$s''', '{office,kitchen,living,garden}', NULL),
	('How many orders were made in %1$s?', 'SELECT count(*) FROM orders WHERE extract(year FROM ordered) = %1$s', '{2023,2024,2022,2025}', NULL),
	('How many orders has each customer made? Give the customer''s name and the number, for customers with at least %1$s, in any order.', 'SELECT c.name, count(*) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.id, c.name HAVING count(*) >= %1$s', '{1,3,5,6}', NULL),
	('Which customers have never ordered anything%2$s? Give their names.', 'SELECT c.name FROM customers c WHERE NOT EXISTS (SELECT FROM orders o WHERE o.customer_id = c.id%1$s)', '{"",  " AND o.ordered >= ''2024-01-01''", " AND o.ordered < ''2024-01-01''", " AND o.ordered >= ''2024-07-01''"}', '{"", " in 2024 or later", " before 2024", " since 1 July 2024"}'),
	('Which cities have more than %1$s customers? Give each city with its number of customers.', 'SELECT city, count(*) FROM customers GROUP BY city HAVING count(*) > %1$s', '{1,2,3,4}', NULL),
	('What is the total value (quantity times price) of order number %1$s?', 'SELECT sum(i.quantity * p.price) FROM items i JOIN products p ON p.id = i.product_id WHERE i.order_id = %1$s', '{3,10,25,40}', NULL),
	('What is the total quantity of the product %1$s that was ordered?', 'SELECT sum(i.quantity) FROM items i JOIN products p ON p.id = i.product_id WHERE p.name = ''%1$s''', '{pen,lamp,desk,radio}', NULL),
	('List the numbers of the orders that have not been shipped and were made %2$s.', 'SELECT id FROM orders WHERE shipped IS NULL AND ordered %1$s', '{">= ''2024-01-01''","< ''2024-01-01''",">= ''2024-06-01''","< ''2023-07-01''"}', '{in 2024 or later,before 2024,on 1 June 2024 or later,before 1 July 2023}'),
	('What are the %1$s dearest products? Give their names, the dearest first.', 'SELECT name FROM products ORDER BY price DESC, name LIMIT %1$s', '{1,2,3,5}', NULL),
	('How many different products has the customer named %1$s ordered?', 'SELECT count(DISTINCT i.product_id) FROM customers c JOIN orders o ON o.customer_id = c.id JOIN items i ON i.order_id = o.id WHERE c.name = ''%1$s''', '{Ada,Ben,Eva,Hugo}', NULL),
	('For each category, what is the %2$s price? Give category and price.', 'SELECT category, %1$s(price) FROM products GROUP BY category', '{max,min,avg,sum}', '{highest,lowest,average,total}'),
	('Which products have a price above the average price of %2$s? Give their names.', 'SELECT name FROM products p WHERE price > (SELECT avg(price) FROM products%1$s)', '{"", " q WHERE q.category = p.category", " q WHERE q.category = ''office''", " q WHERE q.stock > 20"}', '{all products,their own category,the category office,the products of which more than 20 are in stock}'),
	('How many customers joined in the year %1$s?', 'SELECT count(*) FROM customers WHERE joined >= ''%1$s-01-01'' AND joined < ''%1$s-12-31''::date + 1', '{2021,2022,2023,2024}', NULL),
	('Which customer joined %2$s? Give the name.', 'SELECT name FROM customers ORDER BY joined %1$s LIMIT 1', '{"", "DESC", "OFFSET 1", "DESC OFFSET 1"}', '{first,last,second,second to last}'),
	('What is the average number of days between order and shipment of the orders made in %1$s that have been shipped?', 'SELECT avg(shipped - ordered) FROM orders WHERE shipped IS NOT NULL AND extract(year FROM ordered) = %1$s', '{2023,2024,2022,2025}', NULL),
	('How many orders were shipped %1$s days or more after they were made?', 'SELECT count(*) FROM orders WHERE shipped - ordered >= %1$s', '{2,4,7,9}', NULL),
	('Which products are in stock with fewer than %1$s pieces? Give name and stock, the smallest stock first and, for equal stock, by name.', 'SELECT name, stock FROM products WHERE stock < %1$s ORDER BY stock, name', '{3,5,10,20}', NULL),
	('How many customers live in %1$s or %2$s?', 'SELECT count(*) FROM customers WHERE city IN (''%1$s'', ''%2$s'')', '{Oslo,Rome,Paris,Bonn}', '{Rome,Lima,Oslo,Paris}'),
	('Give the names of the customers whose name begins with %1$s or %2$s, in alphabetical order.', 'SELECT name FROM customers WHERE name LIKE ''%1$s%%'' OR name LIKE ''%2$s%%'' ORDER BY name', '{A,B,E,G}', '{C,D,H,L}'),
	('What is the total value (quantity times price) of all orders of the year %1$s?', 'SELECT sum(i.quantity * p.price) FROM orders o JOIN items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id WHERE extract(year FROM o.ordered) = %1$s', '{2023,2024,2022,2025}', NULL),
	('In which cities do customers live who ordered the product %1$s in 2024 or later? Give each city once.', 'SELECT DISTINCT c.city FROM customers c JOIN orders o ON o.customer_id = c.id JOIN items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id WHERE p.name = ''%1$s'' AND o.ordered >= ''2024-01-01''', '{pen,cup,clock,plant}', NULL),
	('Which products were not ordered in 2024 by customers from %1$s? Give their names.', 'SELECT name FROM products p WHERE NOT EXISTS (SELECT FROM items i JOIN orders o ON o.id = i.order_id JOIN customers c ON c.id = o.customer_id WHERE i.product_id = p.id AND c.city = ''%1$s'' AND extract(year FROM o.ordered) = 2024)', '{Oslo,Rome,Paris,Lima}', NULL),
	('What is the value of the stock (stock times price) of category %1$s?', 'SELECT sum(stock * price) FROM products WHERE category = ''%1$s''', '{office,kitchen,living,garden}', NULL),
	('How many items (rows of items) does order number %1$s have?', 'SELECT count(*) FROM items WHERE order_id = %1$s', '{2,9,33,41}', NULL),
	('Which orders contain both the product %1$s and the product %2$s? Give their numbers.', 'SELECT i.order_id FROM items i JOIN products p ON p.id = i.product_id WHERE p.name IN (''%1$s'', ''%2$s'') GROUP BY i.order_id HAVING count(*) = 2', '{pen,cup,chair,rug}', '{book,lamp,bowl,box}'),
	('How many orders were made in each month of %1$s? Give the number of the month (1 to 12) and the number of orders, months without orders left out, in the order of months.', 'SELECT extract(month FROM ordered), count(*) FROM orders WHERE extract(year FROM ordered) = %1$s GROUP BY 1 ORDER BY 1', '{2023,2024,2022,2025}', NULL),
	('Which customers from %1$s have made at least one order? Give their names, each once.', 'SELECT DISTINCT c.name FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.city = ''%1$s''', '{Oslo,Rome,Paris,Bonn}', NULL),
	('Give the names of the products whose price lies between %1$s and %2$s, both included.', 'SELECT name FROM products WHERE price BETWEEN %1$s AND %2$s', '{10,20,40,60}', '{30,60,90,100}'),
	('What is the total quantity that was ordered of the products of category %1$s?', 'SELECT sum(i.quantity) FROM items i JOIN products p ON p.id = i.product_id WHERE p.category = ''%1$s''', '{office,kitchen,living,garden}', NULL),
	('Which %1$s customers spent most (quantity times price over all their orders)? Give name and sum, the greatest first.', 'SELECT c.name, sum(i.quantity * p.price) FROM customers c JOIN orders o ON o.customer_id = c.id JOIN items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id GROUP BY c.id, c.name ORDER BY 2 DESC LIMIT %1$s', '{1,2,3,5}', NULL),
	('How many customers have made exactly %1$s orders?', 'SELECT count(*) FROM (SELECT c.id FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id HAVING count(o.id) = %1$s) s', '{0,2,4,5}', NULL),
	('What share of all orders has not been shipped%2$s? Give a number between 0 and 1.', 'SELECT avg(CASE WHEN shipped IS NULL THEN 1 ELSE 0 END) FROM orders%1$s', '{"", " WHERE ordered >= ''2024-01-01''", " WHERE ordered < ''2024-01-01''", " WHERE id <= 50"}', '{"", ", of the orders made in 2024 or later", ", of the orders made before 2024", ", of the orders with numbers up to 50"}'),
	('Give name and city of the customers who joined %2$s, in the order in which they joined.', 'SELECT name, city FROM customers WHERE joined %1$s ORDER BY joined', '{">= ''2024-01-01''","< ''2021-07-01''",">= ''2023-06-01''","< ''2022-01-01''"}', '{in 2024 or later,before 1 July 2021,on 1 June 2023 or later,before 2022}'),
	('How many products does each category have that cost less than %1$s? Give category and number, categories without such products left out.', 'SELECT category, count(*) FROM products WHERE price < %1$s GROUP BY category', '{20,50,80,110}', NULL),
	('Which products were ordered in more than %1$s different orders? Give their names.', 'SELECT p.name FROM products p JOIN items i ON i.product_id = p.id GROUP BY p.id, p.name HAVING count(*) > %1$s', '{12,16,20,24}', NULL),
	('What is the date of the %2$s order of customers from %1$s?', 'SELECT %3$s(o.ordered) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.city = ''%1$s''', '{Oslo,Rome,Paris,Lima}', '{first,last,first,last}'),
	('What is the average value (quantity times price) of the orders of %1$s, counting orders that have items?', 'SELECT avg(v) FROM (SELECT sum(i.quantity * p.price) AS v FROM orders o JOIN items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id WHERE extract(year FROM o.ordered) = %1$s GROUP BY o.id) s', '{2023,2024,2022,2025}', NULL),
	('Give the names of the products of category %1$s that cost less than %2$s.', 'SELECT name FROM products WHERE category = ''%1$s'' AND price < %2$s', '{office,kitchen,living,office}', '{60,80,100,30}'),
	('How many products have a name that contains the letter %1$s?', 'SELECT count(*) FROM products WHERE name LIKE ''%%%1$s%%''', '{o,h,e,r}', NULL),
	('Which customers ordered on %2$s? Give name and date, each once.', 'SELECT DISTINCT c.name, o.ordered FROM customers c JOIN orders o ON o.customer_id = c.id WHERE extract(dow FROM o.ordered) = %1$s', '{0,1,3,6}', '{a Sunday,a Monday,a Wednesday,a Saturday}'),
	('By how much is the dearest product of category %1$s dearer than the cheapest of that category?', 'SELECT max(price) - min(price) FROM products WHERE category = ''%1$s''', '{office,kitchen,living,garden}', NULL),
	('Which orders consist of %2$s %1$s products? Give their numbers.', 'SELECT order_id FROM items GROUP BY order_id HAVING count(*) %3$s %1$s', '{1,2,4,3}', '{exactly,exactly,more than,more than}'),
	('Give each customer''s name with the date of the latest order, for customers from %1$s who have ordered.', 'SELECT c.name, max(o.ordered) FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.city = ''%1$s'' GROUP BY c.id, c.name', '{Oslo,Rome,Paris,Bonn}', NULL),
	('How many orders contain a product of category %1$s?', 'SELECT count(DISTINCT i.order_id) FROM items i JOIN products p ON p.id = i.product_id WHERE p.category = ''%1$s''', '{office,kitchen,living,garden}', NULL),
	('What is the total quantity ordered by customers from %1$s, per category? Give category and quantity.', 'SELECT p.category, sum(i.quantity) FROM customers c JOIN orders o ON o.customer_id = c.id JOIN items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id WHERE c.city = ''%1$s'' GROUP BY p.category', '{Oslo,Rome,Paris,Bonn}', NULL),
	('Which products cost more than the product %1$s? Give their names, in alphabetical order.', 'SELECT name FROM products WHERE price > (SELECT price FROM products WHERE name = ''%1$s'') ORDER BY name', '{cup,lamp,vase,rug}', NULL),
	('How many pairs of different customers live in the same city, in %1$s?', 'SELECT count(*) FROM customers a JOIN customers b ON a.city = b.city AND a.id < b.id WHERE a.city = ''%1$s''', '{Oslo,Rome,Paris,Lima}', NULL),
	('For each city, how many orders were made by its customers since %1$s? Give city and number, cities without orders with 0.', 'SELECT c.city, count(o.id) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id AND o.ordered >= ''%1$s'' GROUP BY c.city', '{2024-01-01,2024-06-01,2023-07-01,2024-12-01}', NULL),
	('What is the number of the order with the greatest %2$s? If several have it, give the smallest number.', 'SELECT i.order_id FROM items i JOIN products p ON p.id = i.product_id GROUP BY i.order_id ORDER BY %1$s DESC, 1 LIMIT 1', '{sum(i.quantity), count(*), sum(i.quantity * p.price), max(p.price)}', '{total quantity,number of different products,"total value (quantity times price)",price of a single product}');

INSERT INTO rstar.problems (statement, answer, verifier, source, split, tags)
	SELECT 'Tables of a shop in PostgreSQL: customers(id, name, city, joined), products(id, name, category, price, stock), '
	       'orders(id, customer_id, ordered, shipped), items(order_id, product_id, quantity). Write one SQL query. '
	       || format(t.question, v.a, v.b),
	       format(t.query, v.a, v.b, CASE v.b WHEN 'first' THEN 'min' WHEN 'last' THEN 'max' WHEN 'exactly' THEN '=' WHEN 'more than' THEN '>' END),
	       'shop', 'questions', CASE WHEN t.id % 4 = 0 THEN 'test' ELSE 'train' END,
	       jsonb_build_object('template', t.id, 'variant', v.variant)
	  FROM template t
	 CROSS JOIN LATERAL (SELECT i AS variant, t.a[i] AS a, t.b[i] AS b FROM generate_series(1, 4) i) v
	 ORDER BY t.id, v.variant;
COMMIT;
SELECT split, count(*) AS questions FROM rstar.problems WHERE source = 'questions' GROUP BY split ORDER BY split;
