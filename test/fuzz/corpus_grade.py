"""Write the seeds of fuzz_grade: pairs of test/unit/grade*_cases.h, a NUL between."""
import ast
import hashlib
import pathlib
import re

here = pathlib.Path(__file__).parent
out = here / "corpus" / "grade"
out.mkdir(parents=True, exist_ok=True)
text = "".join(path.read_text() for path in sorted((here.parent / "unit").glob("grade*_cases.h")))
string = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
for gold, answer in re.findall(r"\{" + string + r",\s*" + string + r",\s*(?:true|false)", text):
    parts = [b"".join(ast.literal_eval(s).encode("latin-1" if "\\x" in s else "utf-8") for s in re.findall(r'"(?:[^"\\]|\\.)*"', part))
             for part in (gold, answer)]
    seed = b"\0".join(parts)
    (out / hashlib.sha1(seed).hexdigest()[:12]).write_bytes(seed)
