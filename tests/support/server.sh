# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# For black-box tests against the object store that tests/run has started (tests/support/rgw), beside what
# tests/cli/lib.sh offers. All tests share the store; each takes buckets of its own:
#
#   bucket=$(new_bucket)        a new, empty one
#   aws s3api ...               the AWS CLI, a client that is not ours
#   boto ARG... <<'END'         a piece of Python with boto3; `s3` is the client, `argv` the arguments
#   gets BUCKET                 how many requests for contents in it the server has served so far, none missing

. "$EBB_SRC/tests/cli/lib.sh"

[[ -z ${RGW_MISSING:-} ]] || skip "no object store: $RGW_MISSING"
: "${RGW_ENDPOINT:?start tests with tests/run}"

# Debian's: another one on the PATH may refuse what this server answers.
aws() {
	[[ -x /usr/bin/aws ]] || skip 'needs awscli'
	/usr/bin/aws --endpoint-url "$RGW_ENDPOINT" --no-cli-pager "$@"
}

boto() {
	/usr/bin/python3 -c 'import boto3' 2>/dev/null || skip 'needs python3-boto3'
	{
		cat <<-'END'
		import boto3, json, os, sys
		from botocore.config import Config
		argv = sys.argv[1:]
		s3 = boto3.client("s3", endpoint_url=os.environ["RGW_ENDPOINT"], config=Config(
		    signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 1}))
		END
		cat
	} >"$HOME/boto.py"
	/usr/bin/python3 "$HOME/boto.py" "$@"
}

new_bucket() {
	local name
	name=test-$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')
	aws s3api create-bucket --bucket "$name" >/dev/null
	echo "$name"
}

# As the server shows them, some time after it served them.
gets_shown() {
	radosgw-admin -c "$RGW_CONF" --name client.rgw usage show --show-log-sum=false 2>/dev/null |
		jq --arg b "$1" '[.entries[].buckets[] | select(.bucket == $b) | .categories[] | select(.category == "get_obj") | .ops] | add // 0'
}

# It writes its counts all at once: those of a request to another bucket, made after all others, come with or after them.
gets() {
	local before
	if [[ ! -e $HOME/gets.marker ]]; then
		new_bucket >"$HOME/gets.marker"
		aws s3 cp --quiet "$HOME/gets.marker" "s3://$(<"$HOME/gets.marker")/marker"
	fi
	before=$(gets_shown "$(<"$HOME/gets.marker")")
	aws s3 cp --quiet "s3://$(<"$HOME/gets.marker")/marker" - >/dev/null
	while [[ $(gets_shown "$(<"$HOME/gets.marker")") -eq $before ]]; do :; done
	gets_shown "$1"
}

# A server before the real one that lets objects of archive classes sleep: the file `hours` is its clock, `asked` lists what it was asked to
# thaw, `port` is where it listens. Stopped at the end of the test.
archive_proxy() {
	echo 0 >hours
	: >asked
	/usr/bin/python3 "$EBB_SRC/tests/support/archive_proxy.py" "$RGW_ENDPOINT" hours asked >port 2>proxy.err &
	# shellcheck disable=SC2064
	trap "kill $!" EXIT
	local i
	for ((i = 0; i < 500; i++)); do
		[[ ! -s port ]] || return 0
		read -rt 0.02 <> <(:) || :
	done
	fail "the archive server does not come up: $(<proxy.err)"
}

# So many hours go by.
pass() {
	echo $(($(cat hours) + $1)) >hours
}
