-- Problems from JSON lines into rstar.problems.
--
--	psql -X -q -v source=gsm8k -v split=train -f sql/import_problems.sql mydb < problems.jsonl
--
-- An object per line. The statement is its member statement, problem, question or
-- query; answer, verifier, source, split, topic (or module, subject, type) and level (or
-- difficulty) are taken if they are there; whatever else there is becomes tags. -v source,
-- -v split and -v verifier count where a line has none. A problem that is there already, with the same
-- statement, answer, source and split, is left out, so a file can be read
-- twice. All or nothing: an error leaves no problem behind.
\set ON_ERROR_STOP 1
\if :{?source} \else \set source '' \endif
\if :{?split} \else \set split '' \endif
\if :{?verifier} \else \set verifier '' \endif

BEGIN;
CREATE TEMPORARY TABLE rstar_import (n bigint GENERATED ALWAYS AS IDENTITY, line text) ON COMMIT DROP;
-- pstdin: psql's own input, not this file. Characters 1 and 2 cannot stand in JSON.
\copy rstar_import (line) FROM pstdin WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')

CREATE TEMPORARY TABLE rstar_import_problems ON COMMIT DROP AS
SELECT i.n,
       COALESCE(j->>'statement', j->>'problem', j->>'question', j->>'query') AS statement,
       j->>'answer' AS answer,
       COALESCE(j->>'verifier', NULLIF(:'verifier', '')) AS verifier,
       COALESCE(j->>'source', NULLIF(:'source', '')) AS source,
       COALESCE(j->>'split', NULLIF(:'split', '')) AS split,
       COALESCE(j->>'topic', j->>'module', j->>'subject', j->>'type') AS topic,
       COALESCE(j->>'level', j->>'difficulty') AS level,
       j - '{statement,problem,question,query,answer,verifier,source,split,topic,module,subject,type,level,difficulty}'::text[] AS tags
  FROM rstar_import i, LATERAL (SELECT ltrim(i.line, chr(65279))::jsonb) AS parsed (j)
 WHERE i.line IS NOT NULL;

INSERT INTO rstar.problems (statement, answer, verifier, source, split, topic, level, tags)
SELECT statement, answer, verifier, source, split, topic, level, tags
  FROM (SELECT DISTINCT ON (statement, answer, source, split) *
          FROM rstar_import_problems ORDER BY statement, answer, source, split, n) i
 WHERE NOT EXISTS (SELECT FROM rstar.problems p
                    WHERE p.statement = i.statement AND p.answer IS NOT DISTINCT FROM i.answer
                      AND p.source IS NOT DISTINCT FROM i.source AND p.split IS NOT DISTINCT FROM i.split)
 ORDER BY n;
COMMIT;
