#!/bin/sh
# Build, install and run every test; the last line is the sum over all of them.
#
#   sh scripts/test.sh                    everything
#   sh scripts/test.sh unit regress       only these stages
#
# Stages: lint core servers unit recipe regress asserts isolation tap fuzz. The extension is installed into the
# PostgreSQL that PG_CONFIG names (with sudo where that is needed); servers are
# throw-away ones and run as an unprivileged user. Folder ../shared, or the one
# that RSTAR_SHARED names, adds fixtures; tests that need it are skipped, and
# counted as skipped, where it is absent.
#
# Environment: PG_CONFIG, CC, RSTAR_JOBS (parallel compilations, default: the
# cores), FUZZ_SECONDS (per target, default 5), RSTAR_KEEP (keep the work folder).
set -u

cd "$(dirname "$0")/.." || exit 1
PG_CONFIG=${PG_CONFIG:-pg_config}
FUZZ_SECONDS=${FUZZ_SECONDS:-5}
jobs=${RSTAR_JOBS:-$(nproc)}
stages=${*:-"lint core servers unit recipe regress asserts isolation tap fuzz"}
passed=0 failed=0 skipped=0
failures=
server=scripts/server.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/rstar-test.XXXXXX") || exit 1
began=$(date +%s) stage_began=$began

finish() {
	status=$?
	trap - EXIT
	[ ! -e "$work/rstar.so" ] || install -m 0755 "$work/rstar.so" "$("$PG_CONFIG" --pkglibdir)/rstar.so"
	sh $server clean "$work/server" >/dev/null 2>&1
	if [ -n "${RSTAR_KEEP:-}" ]; then
		echo "kept: $work"
	else
		rm -rf "$work"
	fi
	exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

wants() {
	case " $stages " in *" $1 "*) return 0 ;; esac
	return 1
}

say() {
	printf '\n=== %s\n' "$*"
	stage_began=$(date +%s)
}

# count NAME STATUS LOG: add up the lines of a test's output, TAP or pg_regress.
# A program that failed without saying which test is one failure.
count() {
	set -- "$1" "$2" "$(awk '
		/^not ok/ && !/# TODO/          { bad++; next }
		/^ok .*# [Ss][Kk][Ii][Pp]/      { skip++; next }
		/^ok (- |[0-9])/                { good++; next }  # a bare "ok" is prove, of a whole file
		/^1\.\.0 # [Ss][Kk][Ii][Pp]/    { skip++; next }
		/skipped: / && /\.pl/           { skip++; next }
		/^(test|     ) .* \.\.\. ok/    { good++; next }
		/^(test|     ) .* \.\.\. FAILED/ { bad++; next }
		END { print good + 0, bad + 0, skip + 0 }' "$3")" "$3"
	name=$1 status=$2 log=$4
	# shellcheck disable=SC2086
	set -- $3
	good=$1 bad=$2 skip=$3
	if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
	elif [ "$status" -eq 0 ] && [ "$good" -eq 0 ] && [ "$bad" -eq 0 ] && [ "$skip" -eq 0 ]; then
		bad=1 # a stage that ran nothing is no success
	fi
	passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skip))
	[ "$bad" -eq 0 ] || failures="$failures $name"
	[ "$bad" -eq 0 ] || remember "$name" "$log"
	echo "--- $name: $good passed, $bad failed, $skip skipped ($(($(date +%s) - stage_began)) s)"
}

# remember NAME LOG: what failed, for the summary, which may be all that one sees of a long log: tests,
# what they said of it, and the files that prove reports.
remember() {
	awk -v name="$1" '
		/^not ok/ && !/# TODO/            { print name ": " $0; said = 8; next }
		/^(test|     ) .* \.\.\. FAILED/ { print name ": " $0; next }
		/^Test Summary Report/            { report = 1 }
		/\(Wstat: / || report && /^  /   { print name ": " $0; next }
		said > 0 && /^#/                  { print name ":   " $0; said--; next }
		{ said = 0 }' "$2" | head -n 60 >>"$work/failed"
}

# single NAME COMMAND...: a command that is one test
single() {
	name=$1
	shift
	if "$@" >"$work/single.log" 2>&1; then
		echo "ok - $name" >"$work/count.log"
		status=0
	else
		status=$?
		tail -n 60 "$work/single.log"
		echo "not ok - $name" >"$work/count.log"
	fi
	count "$name" "$status" "$work/count.log"
}

summary() {
	say summary
	[ -z "$failures" ] || echo "failures in:$failures"
	[ ! -s "$work/failed" ] || cat "$work/failed"
	echo "$((($(date +%s) - began) / 60)) minutes"
	[ "$skipped" -eq 0 ] || echo "$skipped skipped, for want of what this machine lacks; the reasons stand with each"
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ]
}

give_up() {
	failed=$((failed + 1))
	failures="$failures $1"
	summary
	exit 1
}

# --- build -----------------------------------------------------------------------

say build
make -s -j"$jobs" all PG_CONFIG="$PG_CONFIG" || give_up build
# The linker leaves a module's open ends to the server; none of them may be our own.
single build sh -c '! nm -D --undefined-only rstar.so | grep " rstar_"'

# The server's own functions come before those of libraries: a name that both have (jansson's
# json_object, say) would call the wrong one. glibc is not in question.
no_name_twice() {
	nm -D --undefined-only rstar.so | awk '$2 ~ /@/ && $2 !~ /@(GLIBC|GCC)/ { sub(/@.*/, "", $2); print $2 }' |
		sort -u >"$work/ours"
	nm -D --defined-only "$("$PG_CONFIG" --bindir)/postgres" | awk '{ sub(/@.*/, "", $3); print $3 }' |
		sort -u >"$work/theirs"
	[ -s "$work/ours" ] && [ -s "$work/theirs" ] && ! comm -12 "$work/ours" "$work/theirs" | grep .
}
single names no_name_twice

# --- tests that need no server ------------------------------------------------------

if wants lint; then
	say lint
	single lint sh scripts/lint.sh
	if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
		single format sh -c 'clang-format --dry-run --Werror $(git ls-files "src/*.[ch]" "test/*.[ch]")'
	else
		echo "ok - format # SKIP clang-format 14 decides, another version would lay out otherwise" >"$work/count.log"
		count format 0 "$work/count.log"
	fi
fi

if wants core; then
	say corecheck
	single corecheck make -s corecheck
fi

# The servers that this machine does not run: their headers, as far as they can be had.
if wants servers; then
	say "src/pg compiles for PostgreSQL 14 to 18"
	sh scripts/servers.sh >"$work/servers.log" 2>&1
	status=$?
	cat "$work/servers.log"
	count servers "$status" "$work/servers.log"
fi

if wants unit; then
	say "unit tests (AddressSanitizer, UndefinedBehaviorSanitizer)"
	if make -s -j"$jobs" unitprograms >"$work/unit-build.log" 2>&1; then
		make -s unitcheck PROVE_FLAGS="-v --timer -j$jobs" >"$work/unit.log" 2>&1
		status=$?
		grep -E '^(not ok|#|\[|.*(SKIP|Dubious|ERROR:|SUMMARY:|runtime error|Failed))' "$work/unit.log"
		count unit "$status" "$work/unit.log"
	else
		tail -n 60 "$work/unit-build.log"
		echo "not ok - unit tests do not build" >"$work/count.log"
		count unit 1 "$work/count.log"
	fi
fi

# The models' recipe, as far as it goes with the sandbox's Python.
if wants recipe; then
	say "the models' recipe"
	(cd models/recipe && python3 -B selftest.py -v) >"$work/unittest.log" 2>&1
	status=$?
	awk '/ \.\.\. ok$/           { print "ok - " $1 }
		/ \.\.\. skipped /       { why = $0; sub(/.* skipped /, "", why); print "ok - " $1 " # SKIP " why }
		/ \.\.\. (FAIL|ERROR)$/ { print "not ok - " $1 }' "$work/unittest.log" >"$work/recipe.log"
	[ "$status" -eq 0 ] || cat "$work/unittest.log"
	grep -E '^not ok|# SKIP' "$work/recipe.log"
	count recipe "$status" "$work/recipe.log"
fi

# --- tests against a server ----------------------------------------------------------

install_extension() {
	if [ -w "$("$PG_CONFIG" --pkglibdir)" ] && [ -w "$("$PG_CONFIG" --sharedir)" ]; then
		make -s install PG_CONFIG="$PG_CONFIG"
	else
		sudo make -s install PG_CONFIG="$PG_CONFIG"
	fi
}

# What the unprivileged user needs, where it can read and write it.
prepare_copy() {
	mkdir "$work/src" "$work/out" || return 1
	for item in test README.md sql models; do
		[ ! -e "$item" ] || cp -R "$item" "$work/src/" || return 1
	done
	shared=${RSTAR_SHARED:-$(cd .. && pwd)/shared}
	if [ -d "$shared/fixtures" ]; then
		mkdir "$work/shared" && cp -R "$shared/fixtures" "$work/shared/" || return 1
	fi
	chmod 0755 "$work"
	[ "$(id -u)" != 0 ] || chown -R "$(sh $server user)" "$work/src" "$work/out"
}

run_as_server_user() {
	sh $server run "$work/server" env RSTAR_SOURCE="$work/src" RSTAR_SHARED="$work/shared" \
		PG_REGRESS="$pgxs_test/regress/pg_regress" TESTDIR="$work/out" \
		TESTDATADIR="$work/out/tmp_check" TESTLOGDIR="$work/out/tmp_check/log" \
		PG_TEST_TIMEOUT_DEFAULT=120 "$@"
}

if wants regress || wants asserts || wants isolation || wants tap; then
	say install
	install_extension >"$work/install.log" 2>&1 || { cat "$work/install.log"; give_up install; }
	prepare_copy || give_up copy
	pgxs_test=$(dirname "$("$PG_CONFIG" --pgxs)")/../test
	sh $server start "$work/server" || give_up server
fi

# run_regress NAME: every file of test/sql
run_regress() {
	tests=$(cd test/sql && ls -- *.sql | sed 's/\.sql$//')
	# shellcheck disable=SC2086
	run_as_server_user "$pgxs_test/regress/pg_regress" --inputdir="$work/src/test" \
		--outputdir="$work/out" --bindir="$("$PG_CONFIG" --bindir)" --encoding=UTF8 --no-locale \
		--dbname=rstar_regression $tests >"$work/regress.log" 2>&1
	status=$?
	cat "$work/regress.log"
	[ "$status" -eq 0 ] || cat "$work/out/regression.diffs"
	count "$1" "$status" "$work/regress.log"
}

if wants regress; then
	say "pg_regress"
	run_regress regress
fi

# Assert() does nothing in the distribution's server; in the extension alone it can. The
# library with assertions takes the other's place for this stage.
if wants asserts; then
	say "pg_regress with assertions"
	library=$("$PG_CONFIG" --pkglibdir)/rstar.so
	if [ -w "$library" ] && make -s -j"$jobs" build/assert/rstar.so PG_CONFIG="$PG_CONFIG"; then
		cp "$library" "$work/rstar.so"
		install -m 0755 build/assert/rstar.so "$library"
		run_regress asserts
		install -m 0755 "$work/rstar.so" "$library"
	else
		echo "ok - assertions # SKIP $library cannot be replaced" | tee "$work/count.log"
		count asserts 0 "$work/count.log"
	fi
fi

if wants isolation; then
	say "isolation tests"
	specs=$(cd test/isolation/specs && ls -- *.spec | sed 's/\.spec$//')
	# shellcheck disable=SC2086
	run_as_server_user "$pgxs_test/isolation/pg_isolation_regress" --inputdir="$work/src/test/isolation" \
		--outputdir="$work/out" --bindir="$("$PG_CONFIG" --bindir)" --encoding=UTF8 --no-locale \
		--dbname=rstar_isolation $specs >"$work/isolation.log" 2>&1
	status=$?
	cat "$work/isolation.log"
	[ "$status" -eq 0 ] || cat "$work/out/regression.diffs"
	count isolation "$status" "$work/isolation.log"
fi

# run_tap JOBS NAME...: files of test/t
run_tap() {
	side_by_side=$1
	shift
	run_as_server_user sh -c 'cd "$TESTDIR" && exec prove -v --timer -j "$0" -I "$1/perl" -I "$RSTAR_SOURCE/test/t/lib" $2' \
		"$side_by_side" "$pgxs_test" "$(printf "$work/src/test/t/%s.pl " "$@")"
}

if wants tap; then
	say "TAP tests"
	if [ -f "$pgxs_test/perl/PostgreSQL/Test/Cluster.pm" ] && perl -MIPC::Run -e1 2>/dev/null; then
		# Those that look at no clock run side by side; then the others, one after the other.
		beside='021_sandbox_cases 031_same_tree 040_exports 050_rights 062_rounds_pressed 070_farm 900_readme 901_scripts
			001_model_paths 004_bad_files 005_dump_restore 006_standby 055_grants 060_evaluate 061_reports'
		# shellcheck disable=SC2086
		alone=$(cd test/t && ls -- *.pl | sed 's/\.pl$//' | grep -vxF "$(printf '%s\n' $beside)")
		status=0
		# shellcheck disable=SC2086
		run_tap "$jobs" $beside >"$work/tap.log" 2>&1 || status=$?
		# shellcheck disable=SC2086
		run_tap 1 $alone >>"$work/tap.log" 2>&1 || status=$?
		# Figures and failures; not the chatter of background sessions.
		sed -e '/^# \(connect output\|results query\)/,/^# }/d' -e '/^# issuing query/d' "$work/tap.log" |
			grep -E '^(not ok|# |\[|.*(SKIP|skipped:|Dubious|Failed|Result:))'
		[ "$status" -eq 0 ] || tail -n 40 "$work/tap.log"
		count tap "$status" "$work/tap.log"
	else
		echo "ok - TAP tests # SKIP PostgreSQL's Perl test modules or IPC::Run are missing" | tee "$work/count.log"
		count tap 0 "$work/count.log"
	fi
fi

# --- fuzzing, briefly --------------------------------------------------------------

if wants fuzz; then
	say "fuzz targets, $FUZZ_SECONDS s each"
	if echo 'int main(void){return 0;}' |
		clang -fsanitize=address,undefined -x c - -o "$work/probe" >/dev/null 2>&1; then
		make -s -j"$jobs" fuzzprograms >"$work/fuzz-build.log" 2>&1 || tail -n 40 "$work/fuzz-build.log"
		for source in test/fuzz/fuzz_*.c; do basename "$source" .c | sed 's/^fuzz_//'; done >"$work/fuzz-names"
		# Each target uses one core.
		xargs -P "$jobs" -I NAME sh -c 'make -s fuzz FUZZ=NAME FUZZ_SECONDS="$0" >"$1/fuzz-NAME.log" 2>&1
			echo $? >"$1/fuzz-NAME.status"' "$FUZZ_SECONDS" "$work" <"$work/fuzz-names"
		while read -r name; do
			single "fuzz-$name" sh -c 'cat "$0.log"; exit "$(cat "$0.status")"' "$work/fuzz-$name"
		done <"$work/fuzz-names"
	else
		echo "ok - fuzz # SKIP clang with its sanitizer runtime is missing" | tee "$work/count.log"
		count fuzz 0 "$work/count.log"
	fi
fi

summary
