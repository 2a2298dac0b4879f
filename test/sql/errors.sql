-- Wrong arguments of every function: each gives one clear error, and nothing is
-- left behind. (Errors that need a history stand in the file of their subject.)
SET client_min_messages = warning;
CREATE EXTENSION rstar;
RESET client_min_messages;
LOAD 'rstar';

-- models
SELECT rstar_model_import(NULL, '/tmp/x.gguf');
SELECT rstar_model_import('m', NULL);
SELECT rstar_model_import('', '/tmp/x.gguf');
SELECT rstar_model_import(repeat('x', 201), '/tmp/x.gguf');
SELECT rstar_model_import('rstar-x', '/tmp/x.gguf');
SELECT rstar_model_import('m', 'x.gguf');
SELECT rstar_model_import('m', '/no/such/file');
SELECT rstar_model_import('m', '/tmp/x.gguf', role => 'judge');
SELECT rstar_model_import('m', '/tmp/x.gguf', role => NULL);
SELECT rstar_model_import('m', '/tmp/x.gguf', file_type => 'Q1');
SELECT rstar_model_import('m', '/tmp/x.gguf', prompt_template => 'without the place');
SELECT rstar_model_import('m', '/tmp/x.gguf', prompt_template => '{problem} and {problem}');
SELECT rstar_model_import('m', '/tmp/x.gguf', defaults => '[]');
SELECT rstar_model_import('m', '/tmp/x.gguf', defaults => '{"policy": 1}');
SELECT rstar_model_import('m', '/tmp/x.gguf', defaults => '{"top_k": "ten"}');
SELECT rstar_model_import('m', '/tmp/x.gguf', defaults => '{"top_k": 1.5}');
SELECT rstar_model_import('m', '/tmp/x.gguf', defaults => '{"top_p": 1.5}');
SELECT rstar_model_create('m', 'no such vocabulary', layers => 1, width => 64, heads => 2);
SELECT rstar_model_create('m', NULL, layers => 1, width => 64, heads => 2);
SELECT rstar_model_create('m', 'rstar-policy', layers => NULL, width => 64, heads => 2);
SELECT rstar_model_create('m', 'rstar-policy', layers => 0, width => 64, heads => 2);
SELECT rstar_model_create('m', 'rstar-policy', layers => 1, width => 63, heads => 2);
SELECT rstar_model_create('m', 'rstar-policy', layers => 1, width => 64, heads => 0);
SELECT rstar_model_create('m', 'rstar-policy', layers => 1, width => 64, heads => 4, kv_heads => 3);
SELECT rstar_model_create('m', 'rstar-policy', layers => 1, width => 64, heads => 2, feed_forward => 0);
SELECT rstar_model_create('m', 'rstar-policy', layers => 1, width => 64, heads => 2, context => 0);
SELECT rstar_model_create('m', 'rstar-policy', layers => 1, width => 64, heads => 2, architecture => 'rnn');
SELECT rstar_model_create('m', 'rstar-policy', layers => 1, width => 64, heads => 2, role => 'vocabulary');
SELECT rstar_model_create('m', 'rstar-policy', layers => -1, width => -64, heads => -2);
SELECT rstar_model_create('m', 'rstar-policy', layers => 2147483647, width => 2147483647, heads => 2147483647);
SELECT rstar_train_vocabulary('v', NULL);
SELECT rstar_train_vocabulary('v', 'SELECT ''a'', ''b''');
SELECT rstar_train_vocabulary('v', 'DELETE FROM rstar.models');
SELECT rstar_train_vocabulary('v', 'SELECT ''a''; SELECT ''b''');
SELECT rstar_train_vocabulary('v', 'SELEC');
SELECT rstar_train_vocabulary('v', 'SELECT ''a''', size => 10);
SELECT rstar_train_vocabulary('v', 'SELECT ''a''', min_count => 0);
SELECT rstar_train_vocabulary('v', 'SELECT ''a''', special => ARRAY[NULL]);
SELECT rstar_train_vocabulary('v', 'SELECT ''a''', special => ARRAY['']);
SELECT rstar_model_quantize('nobody', 'm', 'Q8_0');
SELECT rstar_model_quantize('rstar-policy', 'm', 'Q7');
SELECT rstar_model_quantize('rstar-policy', NULL, 'Q8_0');
SELECT rstar_model_quantize('rstar-policy', 'rstar-policy', 'Q8_0');
SELECT rstar_model_verify('nobody');
SELECT rstar_model_drop('nobody');
SELECT rstar_model_drop(NULL);
SELECT rstar_model_drop('rstar-policy');
SELECT count(*) AS models_made FROM rstar.models WHERE NOT builtin;

-- text
SELECT rstar_tokenize('a', 'nobody');
SELECT rstar_detokenize(ARRAY[NULL::int]);
SELECT rstar_detokenize(ARRAY[[1], [2]]);
SELECT rstar_detokenize(ARRAY[-1]);
SELECT rstar_detokenize(ARRAY[1024]);
SELECT rstar_detokenize(ARRAY[1], 'nobody');
SELECT rstar_generate('a', 'nobody');
SELECT rstar_generate('a', max_tokens => 0);
SELECT rstar_generate('a', max_tokens => 1048577);
SELECT rstar_generate('a', temperature => -1);
SELECT rstar_generate('a', temperature => 'NaN');
SELECT rstar_generate('a', temperature => 'Infinity');
SELECT rstar_generate('a', top_k => -1);
SELECT rstar_generate('a', top_p => 1.1);
SELECT rstar_generate('a', min_p => -0.1);
SELECT rstar_generate('a', stop => ARRAY['']);
SELECT rstar_generate('a', stop => ARRAY[NULL]);
SELECT rstar_generate('');
SELECT rstar_generate(repeat('many words ', 1000));

-- solutions and answers
SELECT rstar_run_python('1', timeout => 0);
SELECT rstar_run_python('1', timeout => -1);
SELECT rstar_run_python('1', timeout => 60001);
SELECT rstar_run_steps('<code>1<end_of_code>', timeout => 0);
SELECT rstar_prompt_template('gpt');
SELECT rstar_prompt_template(NULL);
SELECT rstar_prompt_template('rstar', 1);
SELECT rstar_prompt_template('qwen2', 4);
SELECT rstar_prompt_template('qwen2', -1);

-- searching
SELECT rstar_solve('What is 1 + 1?', model => 'nobody');
SELECT rstar_solve('What is 1 + 1?', ppm => 'nobody');
SELECT rstar_solve('What is 1 + 1?', ppm => 'rstar-policy');
SELECT rstar_solve('What is 1 + 1?', method => 'guess');
SELECT rstar_solve('What is 1 + 1?', candidates => 0);
SELECT rstar_solve('What is 1 + 1?', candidates => 257);
SELECT rstar_solve('What is 1 + 1?', rollouts => 0);
SELECT rstar_solve('What is 1 + 1?', rollouts => 1025);
SELECT rstar_solve('What is 1 + 1?', max_depth => 0);
SELECT rstar_solve('What is 1 + 1?', max_depth => 1001);
SELECT rstar_solve('What is 1 + 1?', temperature => -0.5);
SELECT rstar_solve('What is 1 + 1?', temperature => 'NaN');
SELECT rstar_search(-1::bigint);
SELECT rstar_search(1::bigint);
SELECT rstar_search('What is 1 + 1?', '2', method => '');
SELECT * FROM rstar_search(ARRAY[NULL]::bigint[]);
SELECT * FROM rstar_search(ARRAY[1, 2]::bigint[]);
SELECT rstar_continue(1, 1);
SELECT rstar_continue(-1, 0);
SELECT * FROM rstar_score('p', 's', model => 'nobody');
SELECT * FROM rstar_score('p', 's', ppm => 'rstar-policy');
SELECT rstar_search_scripted(1, '[]');
SELECT count(*) AS problems, (SELECT count(*) FROM rstar.trees) AS trees FROM rstar.problems;

-- pictures and data
SELECT rstar_tree_text(1);
SELECT rstar_tree_svg(-1);
SELECT rstar_build_pairs(pair_min_margin => -1);
SELECT rstar_build_pairs(pair_min_margin => 3);
SELECT rstar_build_pairs(pair_min_margin => 'NaN');
SELECT rstar_build_pairs(pair_min_edit => -1);

DROP EXTENSION rstar;
