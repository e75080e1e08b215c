import { describe, expect, it } from 'vitest'
import { isOfCredentials, toFailure } from '../../../../shared/clients/git/failure.ts'

/** What servers and libraries say that are not at hand in a test, in their own words. */

const failed = (stderr: string, stdout = '') => ({ code: 128, timedOut: false, stdout, stderr })
const said = (stderr: string, stdout?: string) =>
  toFailure('push to the fleet repository', failed(stderr, stdout), (text) => text)

const declined = (reason: string) => `To https://x/y.git\n!\tabc:refs/heads/main\t[remote rejected] (${reason})\nDone`
const access = (why: string) => `fatal: unable to access 'https://git.example.com/fleet.git/': ${why}`
const unread = 'fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\n'

describe('toFailure', () => {
  it.each([
    [
      'GitHub, a protected branch',
      'protected branch hook declined',
      'remote: error: GH006: Protected branch update failed for refs/heads/main.        \nremote: \nremote: - Changes must be made through a pull request.        \n',
      'GH006: Protected branch update failed for refs/heads/main. - Changes must be made through a pull request.',
    ],
    [
      'GitHub, a ruleset',
      'push declined due to repository rule violations',
      'remote: error: GH013: Repository rule violations found for refs/heads/main.\nremote:\nremote: - Changes must be made through a pull request.\n',
      'GH013',
    ],
    [
      'GitLab',
      'pre-receive hook declined',
      'remote: GitLab: You are not allowed to push code to protected branches on this project.\n',
      'GitLab: You are not allowed to push code',
    ],
    [
      'Gitea and Forgejo',
      'pre-receive hook declined',
      'remote: Gitea: Not allowed to push to protected branch main\n',
      'Gitea: Not allowed',
    ],
    [
      'Bitbucket',
      'pre-receive hook declined',
      'remote: Branch refs/heads/main can only be modified through pull requests.\n',
      'Branch refs/heads/main can only',
    ],
    [
      'Azure DevOps',
      'TF402455: Pushes to this branch are not permitted; you must use a pull request to update this branch.',
      '',
      'TF402455',
    ],
  ])('refuses a run whose branch is protected, as %s says it', (_, reason, remarks, repeated) => {
    const { kind, about, error } = said(remarks, declined(reason))
    expect([kind, about, error.reason]).toEqual(['final', 'branch', 'refused'])
    expect(error.message).toMatch(
      /^Cannot push to the fleet repository: the branch is protected: let Drover's account push to it without a review, or give Drover another branch \(DROVER_GIT_BRANCH\); the Git server said \(/,
    )
    expect(error.message).toContain(reason)
    expect(error.message).toContain(repeated)
  })

  it.each([
    [
      'a rule of GitHub that is about a commit',
      'push declined due to repository rule violations',
      'remote: - Push cannot contain secrets\n',
    ],
    ['a hook', 'pre-receive hook declined', 'remote: policy: no commits on Sundays\n'],
    ['the hook of a branch', 'hook declined', ''],
  ])('refuses only what is in a push when it is declined by %s', (_, reason, remarks) => {
    const { kind, about, error } = said(remarks, declined(reason))
    expect([kind, about, error.reason]).toEqual(['final', undefined, 'refused'])
    expect(error.message).toContain(`the Git server declined it (${reason})`)
  })

  it.each([
    ['GitLab, whose API restarts', 'GitLab: 500 Internal Server Error'],
    ['GitLab, whose API is down', 'GitLab: API is not accessible'],
    ['GitLab, behind a proxy', 'GitLab: Internal API error (502)'],
    ['GitLab, by another way', 'GitLab: Failed to authorize your Git request: internal API unreachable'],
    ['Gitea', 'Gitea: Internal Server Error'],
    [
      'Gitea, whose web process restarts',
      'Gitea: Unable to contact gitea: Post "http://127.0.0.1:3000/api/internal/hook/pre-receive/acme/fleet": dial tcp 127.0.0.1:3000: connect: connection refused',
    ],
    ['Gitea, of a protected branch', 'Gitea: Internal Server Error: unable to get protected branch main'],
    ['Gogs', 'Gogs: Internal error'],
    ['a hook that asks elsewhere', 'policy: https://policy.example.com answered 503 Service Unavailable'],
    ['a hook with a status alone', 'policy: HTTP 502'],
    ['a hook that waits', 'policy: the request timed out'],
  ])('waits when the server is unwell while it looks at a push, as %s says it', (_, remark) => {
    const { kind, about, error } = said(`remote: ${remark}        \n`, declined('pre-receive hook declined'))
    expect([kind, about, error.reason]).toEqual(['passing', undefined, 'busy'])
    expect(error.message).toBe(
      `Cannot push to the fleet repository: the Git server failed while it looked at the push (pre-receive hook declined): ${remark}`,
    )
  })

  it('waits when the server has nothing to say but that it failed', () => {
    const { kind, error } = said('', declined('Internal Server Error'))
    expect([kind, error.reason]).toEqual(['passing', 'busy'])
  })

  it.each([
    ['a number that is no status', 'policy: at most 500 files in a commit'],
    ['a name', 'policy: the machine "error-502" is not known'],
    ['a word of its own', 'policy: "timeout: 10s" is too short'],
  ])('takes no policy for an outage for %s', (_, remark) => {
    const { kind, error } = said(`remote: ${remark}\n`, declined('pre-receive hook declined'))
    expect([kind, error.reason]).toEqual(['final', 'refused'])
  })

  it('tells our own full disk, for which the clone is to blame, from that of the server', () => {
    const ours = said('fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output\n')
    expect([ours.kind, ours.about, ours.error.reason]).toEqual(['unclear', 'room', 'busy'])
    expect(ours.error.message).toContain(
      'the disk that holds the clone is full: give the folder of DROVER_GIT_DIRECTORY',
    )
    const theirs = said('remote: fatal: write error: No space left on device        \n', declined('unpacker error'))
    expect([theirs.kind, theirs.about]).toEqual(['passing', undefined])
    expect(theirs.error.message).toContain('the Git server has no room left on its disk')
  })

  const certificate = "the Git server's certificate cannot be verified: DROVER_GIT_CA_FILE must name"
  const otherHost = "the Git server's certificate is for another host"
  it.each([
    ['SSL certificate problem: unable to get local issuer certificate', certificate],
    ['SSL certificate problem: self-signed certificate in certificate chain', certificate],
    ['server certificate verification failed. CAfile: none CRLfile: none', certificate],
    ["SSL: no alternative certificate subject name matches target host name 'git.example.com'", otherHost],
    ["SSL: no alternative certificate subject name matches target ipv4 address '10.0.0.1'", otherHost],
    ["SSL: certificate subject name (git) does not match target host name 'git.example.com'", otherHost],
    ['SSL certificate problem: certificate has expired', "the Git server's certificate is out of date"],
    [
      'error setting certificate verify locations:  CAfile: /ca.pem CApath: none',
      'the file of DROVER_GIT_CA_FILE cannot be read',
    ],
    ['error setting certificate file: /ca.pem', 'the file of DROVER_GIT_CA_FILE cannot be read'],
    ['CONNECT tunnel failed, response 407', 'the proxy does not accept our credentials (407)'],
    ['CONNECT tunnel failed, response 403', 'the proxy does not let us through'],
    ['Received HTTP code 403 from proxy after CONNECT', 'the proxy does not let us through'],
  ])('says for good what is wrong with %j', (why, sentence) => {
    const { kind, error } = said(access(why))
    expect([kind, error.reason]).toEqual(['final', 'broken'])
    expect(error.message).toContain(`Cannot push to the fleet repository: ${sentence}`)
  })

  it.each([
    ['kex_exchange_identification: Connection closed by remote host'],
    ['ssh: connect to host git.example.com port 22: Connection timed out'],
    ['ssh: Could not resolve hostname git.example.com: Temporary failure in name resolution'],
    ['client_loop: send disconnect: Broken pipe\r'],
    ['Timeout, server git.example.com not responding.'],
    ['Connection to git.example.com closed by remote host.'],
  ])('waits for a line that is down: %s', (why) => {
    const { kind, error } = said(`${why}\n${unread}`)
    expect([kind, error.reason, error.message]).toEqual([
      'passing',
      'busy',
      'Cannot push to the fleet repository: the Git server cannot be reached',
    ])
  })

  it.each([
    ['ERROR: The key you are authenticating with has been marked as read only.\n', 'marked as read only'],
    [
      'remote: \nremote: ====================\nremote: \nremote: ERROR: This deploy key does not have write access to this project.\nremote: \n',
      'the Git server forbids it: ERROR: This deploy key does not have write access to this project.',
    ],
    ['ERROR: Repository not found.\n', 'the Git server knows no such repository, or hides it from us'],
    [
      "remote: ERROR: The project you were looking for could not be found or you don't have permission to view it.\n",
      'the Git server knows no such repository, or hides it from us',
    ],
    [
      'No user exists for uid 1000810000\r\n',
      'ssh runs only for a user with a name, and /etc/passwd has none for 1000810000',
    ],
    ['sh: 1: ssh: not found\n', 'there is no ssh here'],
  ])('says for good what comes over ssh as %j', (why, sentence) => {
    const { kind, error } = said(why + unread)
    expect([kind, error.reason]).toEqual(['final', 'broken'])
    expect(error.message).toContain(sentence)
  })

  it.each([
    [
      'a proxy in front of it',
      `error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413\nsend-pack: unexpected disconnect while reading sideband packet\nfatal: the remote end hung up unexpectedly`,
      ' (413)',
    ],
    [
      'Git itself',
      'remote: fatal: pack exceeds maximum allowed size (1.00 MiB)\nerror: remote unpack failed: index-pack abnormal exit',
      '',
    ],
  ])('takes a push that is too large for %s for one of another size', (_, why, status) => {
    const { kind, about, error } = said(why)
    expect([kind, about, error.reason]).toEqual(['final', 'size', 'broken'])
    expect(error.message).toBe(
      `Cannot push to the fleet repository: the Git server takes no push of this size${status}: let it take larger ones, as by client_max_body_size of nginx or receive.maxInputSize of Git`,
    )
  })

  it.each([
    [access('The requested URL returned error: 429'), undefined],
    [
      `remote: You have exceeded a secondary rate limit. Please wait a few minutes.\n${access('The requested URL returned error: 403')}`,
      undefined,
    ],
    [
      'remote: GitLab: This endpoint has been requested too many times. Try again later.\n',
      declined('pre-receive hook declined'),
    ],
  ])('waits for a server that wants to be asked less often, as %j', (why, answer) => {
    const { kind, about, error } = said(why, answer)
    expect([kind, about, error.reason]).toEqual(['passing', 'rate', 'busy'])
    expect(error.message).toContain('Cannot push to the fleet repository: the Git server wants to be asked less often')
  })

  it('says why a server forbids a push', () => {
    const text = `remote: Permission to acme/fleet.git denied to drover-bot.\n${access('The requested URL returned error: 403')}`
    expect(said(text).error.message).toBe(
      'Cannot push to the fleet repository: the Git server forbids it (403): Permission to acme/fleet.git denied to drover-bot.',
    )
  })
})

describe('isOfCredentials', () => {
  it.each([
    [access('The requested URL returned error: 401'), true],
    ["fatal: could not read Username for 'https://x': terminal prompts disabled", true],
    [`drover@git.example.com: Permission denied (publickey).\n${unread}`, true],
    [access('The requested URL returned error: 403'), false],
    [access('Received HTTP code 407 from proxy after CONNECT'), false],
  ])('knows of %j: %s', (stderr, is) => {
    expect(isOfCredentials(failed(stderr))).toBe(is)
    expect(isOfCredentials({ ...failed(stderr), code: 0 })).toBe(false)
  })
})
