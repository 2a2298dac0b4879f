#!/bin/sh
# What the compilers and clang-format do not see. Prints every offence; fails if
# there is one. (`make lint` runs clang-format first.)
set -u
cd "$(dirname "$0")/.." || exit 1

offences=0
offence() {
	offences=$((offences + 1))
	echo "lint: $1"
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/    /'
}

# Tracked and new files that match; in an unpacked archive, without git, all that match.
files() {
	if ! git rev-parse --git-dir >/dev/null 2>&1; then
		for pattern in "$@"; do
			find . -type f -path "./$pattern" | sed 's|^\./||'
		done
		return
	fi
	git ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do
		[ ! -f "$f" ] || echo "$f"
	done
}

# forbid WHAT REGEX FILES...
forbid() {
	what=$1 regex=$2
	shift 2
	[ $# -gt 0 ] || return 0
	found=$(grep -nHE -- "$regex" "$@" /dev/null)
	[ -z "$found" ] || offence "$what" "$found"
}

c_files=$(files 'src/*.c' 'src/*.h' 'test/*.c' 'test/*.h')
core_files=$(files 'src/core/*.c' 'src/core/*.h')
texts=$(files '*.c' '*.h' '*.sql' '*.sh' '*.mk' '*.pl' '*.pm' '*.py' Makefile '*.control' .ci/run)

# shellcheck disable=SC2086
{
	forbid "trailing blanks" '[[:blank:]]+$' $(printf '%s\n' $texts | grep -v '^test/fuzz/corpus/')
	# A comment begins with // outside of strings and block comments; URLs follow a colon.
	forbid "// comments" '^[^"/*]*[^":]//|^[[:blank:]]*//' $c_files
	forbid "notes to self" '\b(TODO|FIXME|XXX|HACK)\b' $(printf '%s\n' $texts | grep -vE '^scripts/(lint|test)\.sh$')
	forbid "the core prints, exits or aborts" '\b(printf|fprintf|puts|perror|exit|_exit|abort|assert)[[:blank:]]*\(' \
		$(printf '%s\n' $core_files | grep -v '/status\.c$')
	forbid "personal paths" '/(home|root)/' $(printf '%s\n' $texts | grep -v '^scripts/lint\.sh$')
}

# Every header guards itself against being read twice; templates are meant to be.
for header in $(files 'src/*.h' | grep -v '_template\.h$'); do
	grep -q '^#ifndef RSTAR_.*_H$' "$header" || offence "$header has no include guard"
done

# External names begin with the prefixes of their room (scripts/prefixes.txt); those of
# src/pg with rstar_pg_, but for the functions that SQL calls by name.
misnamed=$(for header in $(files 'src/*.h'); do
	case $header in
		src/core/*/*) room=$(echo "$header" | cut -d/ -f2-3) ;;
		src/pg/*) room=pg ;;
		*) room=sandbox ;;
	esac
	if [ "$room" = pg ]; then allowed=rstar_pg
	else allowed=$(sed -n "s#^$room ##p" scripts/prefixes.txt); fi
	sed -n 's/^extern .*[ *]\(rstar_[a-z0-9_]*\)[(;[].*/\1/p' "$header" | while read -r name; do
		for prefix in $allowed; do
			case $name in "$prefix" | "$prefix"_*) continue 2 ;; esac
		done
		echo "$header: $name"
	done
done)
[ -z "$misnamed" ] || offence "names without a prefix of their room" "$misnamed"

# Shell scripts are readable by any POSIX shell.
for script in $(files 'scripts/*.sh') .ci/run; do
	[ ! -f "$script" ] || sh -n "$script" || offence "$script does not parse"
done

# Every function states volatility, strictness where it is strict, and parallel safety.
awk '
	/^CREATE (OR REPLACE )?FUNCTION/ { name = $3; text = ""; inside = 1 }
	inside { text = text "\n" $0 }
	inside && /;[[:blank:]]*$/ {
		inside = 0
		if (text !~ /(IMMUTABLE|STABLE|VOLATILE)/) print name " does not state its volatility"
		if (text !~ /PARALLEL (SAFE|RESTRICTED|UNSAFE)/) print name " does not state its parallel safety"
		if (text !~ /(STRICT|CALLED ON NULL INPUT)/) print name " does not state what NULL does"
	}' rstar--*.sql >/tmp/rstar-lint.$$
while read -r line; do offence "rstar--1.0.sql: $line"; done </tmp/rstar-lint.$$
rm -f /tmp/rstar-lint.$$

# cppcheck over the core: errors and warnings, not opinions on style. Each version errs in ways of
# its own, and scripts/cppcheck.txt knows those of one.
if cppcheck --version 2>/dev/null | grep -q ' 2\.10'; then
	found=$(cppcheck --quiet --std=c11 --language=c --enable=warning,portability --inline-suppr -Isrc \
		-D_GNU_SOURCE --suppressions-list=scripts/cppcheck.txt --template='{file}:{line}: {severity}: {message} [{id}]' \
		src/core src/sandbox 2>&1)
	[ -z "$found" ] || offence "cppcheck" "$found"
else
	echo "lint: cppcheck 2.10 is not here; its checks are left out"
fi

[ "$offences" -eq 0 ] && echo "lint: clean"
[ "$offences" -eq 0 ]
