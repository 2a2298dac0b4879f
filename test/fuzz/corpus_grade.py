"""Write the seeds of fuzz_grade: pairs of test/unit/grade_cases.h, a NUL between."""
import ast
import hashlib
import pathlib
import re

here = pathlib.Path(__file__).parent
out = here / "corpus" / "grade"
out.mkdir(parents=True, exist_ok=True)
text = (here.parent / "unit" / "grade_cases.h").read_text()
string = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
for gold, answer in re.findall(r"\{" + string + r",\s*" + string + r",\s*(?:true|false)", text):
    parts = [b"".join(ast.literal_eval("b" + s) for s in re.findall(r'"(?:[^"\\]|\\.)*"', part))
             for part in (gold, answer)]
    seed = b"\0".join(parts)
    (out / hashlib.sha1(seed).hexdigest()[:12]).write_bytes(seed)
