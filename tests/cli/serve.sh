#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ebb serve: pages, metrics, folders; who may ask; nothing can be changed; it ends when told to.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq curl

mkdir -p "data/a&b/deep" data/c
printf 'hello' >"data/a&b/deep/x"
head -c 5000 /dev/zero >data/c/y
cat >ebb.yaml <<END
version: 1
stores: {data: {type: fs, path: $PWD/data, class: HDD}}
prices: [onprem]
END
run "$EBB" --index idx scan
expect_status 0

serve() {
	rm -f address
	"$EBB" --index idx serve --refresh 1s "$@" >address 2>serve.err &
	server=$!
	trap 'kill $server 2>/dev/null || true' EXIT
	for _ in $(seq 200); do
		[[ -s address ]] && return
		kill -0 $server 2>/dev/null || fail "it ended: $(cat serve.err)"
		read -rt 0.05 <> <(:) || true
	done
	fail 'it does not listen'
}
stop() {
	kill -TERM $server
	wait $server || [[ $? == 130 || $? == 143 ]]
	trap - EXIT
}
# get PATH [CURL OPTIONS...]: status in $code, body in $body
get() {
	local path=$1
	shift
	code=$(curl -s -o body -w '%{http_code}' --noproxy '*' "$@" "$url$path")
	body=$(tr -d '\0' <body)
}

serve --listen 127.0.0.1:0
url=$(sed 's,/$,,' address)
get /
[[ $code == 200 && $body == *'a month costs'* ]] || fail "the page is not right: $code"
curl -sI --noproxy '*' "$url/" | grep -qi "^content-security-policy: default-src 'none'" || fail 'no policy is sent'
get /report.json
"$EBB" --index idx report --json >report.json
[[ $(jq -c '.by.folder' body) == "$(jq -c '.by.folder' report.json)" ]] || fail 'the JSON differs from ebb report'
get /metrics
[[ $code == 200 && $body == *'ebb_bytes{dimension="store",value="data"} 5005'* ]] || fail 'the metrics are not right'
get /metrics -H 'Accept: application/openmetrics-text; version=1.0.0,text/plain;q=0.5' -D head
[[ $code == 200 && $body == *'# EOF' && $body == *'ebb_bytes{dimension="store",value="data"} 5005'* ]] || fail 'OpenMetrics is not right'
grep -qi '^content-type: application/openmetrics-text; version=1.0.0' head || fail "another type: $(cat head)"
get '/by?label=team&value='
[[ $code == 200 && $body == *'4.9 KiB in 2 objects'* ]] || fail "what has no team is not right: $body"
get '/by?label=nothing&value='
[[ $code == 404 ]] || fail "a label that is none is answered with $code"
get /plan
[[ $code == 404 ]] || fail "a plan that is none is answered with $code"
get /browse
[[ $code == 200 && $body == *'/browse?store=data&amp;prefix='* ]] || fail 'the stores are not listed'
get '/browse?store=data&prefix='
[[ $code == 200 && $body == *'prefix=a%26b/'* && $body == *'a&amp;b/'* ]] || fail "the folders are not right: $body"
get '/browse?store=data&prefix=a%26b/&json=1'
[[ $(jq -c '[.bytes, .folders[0].path]' body) == '[5,"a&b/deep/"]' ]] || fail "the folder is not right: $body"

# many questions at once: all are answered, and each with its own answer
for i in $(seq 40); do
	case $((i % 4)) in
	0) echo 'data&prefix=a%26b/&json=1 5' ;;
	1) echo 'data&prefix=c/&json=1 5000' ;;
	*) echo 'data&prefix=&json=1 5005' ;;
	esac
done >questions
export url
# shellcheck disable=SC2016 # expanded by the inner shells
xargs -P 20 -L 1 bash -c 'printf "%s %s %s\n" "$(curl -s --noproxy "*" "$url/browse?store=$0" | jq .bytes)" "$1" \
	"$(curl -s -o /dev/null -w "%{http_code}" --noproxy "*" "$url/by?label=team&value=")"' <questions >answers
[[ $(wc -l <answers) == 40 ]] || fail 'not all were answered'
awk '$1 != $2 || $3 != 200 {print; bad = 1} END {exit bad}' answers || fail 'questions at once are not answered right'

# who may ask, and for what
for path in /browse?store=nobody '/browse?store=data&prefix=zzz/' /etc/passwd /../../etc/passwd '/browse/../x' '//'; do
	get "$path" --path-as-is
	[[ $code == 404 ]] || fail "$path is answered with $code"
done
get / -H 'Host: evil.example'
[[ $code == 421 ]] || fail "a strange name is answered with $code"
get / -H 'Host: 127.0.0.1.evil.example'
[[ $code == 421 ]] || fail "a strange name is answered with $code"
get / -X POST -d x
[[ $code == 405 ]] || fail "POST is answered with $code"
get / -X DELETE
[[ $code == 405 ]] || fail "DELETE is answered with $code"
find idx -newer serve.err ! -name lock.mdb ! -name '*-lock' -type f | grep . && fail 'the index was changed'
stop

# the plan for review, which comes anew when it changes
printf 'rules: [{name: all old, when: "age >= 0d and size > 1", do: compress, codec: zstd}]\n' >>ebb.yaml
EBB_NOW=2030-01-01T00:00:00Z run "$EBB" --index idx plan -o plan.jsonl
expect_status 0
serve --listen 127.0.0.1:0 --plan plan.jsonl
url=$(sed 's,/$,,' address)
get /plan
[[ $code == 200 && $body == *'data:c/y'* && $body == *'all old'* ]] || fail "the plan is not shown: $code"
get /plan.json
[[ $(jq -c '[.plan, .objects, (.flows | length), .largest[0].path]' body) == \
	"[$(sed -n 1p plan.jsonl | jq -c .id),$(sed -n 2p plan.jsonl | jq .totals.objects),1,\"c/y\"]" ]] || fail "the plan is not right: $body"
stop

# a token; a socket file
printf 'a-token-of-some-length\n' >token
serve --listen 127.0.0.1:0 --token-file token --host ebb.example
url=$(sed 's,/$,,' address)
get /
[[ $code == 401 ]] || fail "without a token: $code"
get / -H 'Authorization: Bearer a-token-of-some-lengtH'
[[ $code == 401 ]] || fail "with a wrong token: $code"
get / -H 'Authorization: Bearer a-token-of-some-length' -H 'Host: ebb.example:80'
[[ $code == 200 ]] || fail "with the token: $code"
stop
serve --listen "unix:$PWD/s"
[[ $(curl -s --unix-socket s http://any/metrics | grep -c '^ebb_bytes') -gt 0 ]] || fail 'the socket does not answer'
[[ $(stat -c %a s) == 7?? && $(stat -c %a s) == *00 ]] || fail 'others may use the socket'
stop
[[ ! -e s ]] || fail 'the socket stays'

run "$EBB" --index idx serve --listen 0.0.0.0:0
expect_status 2
expect_err 'needs a token'
run "$EBB" --index idx serve --listen nowhere
expect_status 2
