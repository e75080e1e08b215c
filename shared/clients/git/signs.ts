import type { Reason } from '../../errors.ts'

/** What it means that a command failed. */
export interface Meaning {
  /** `final`: the server will say the same again. `passing`: it may not. `unclear`: maybe not the server's doing at all. */
  kind: 'final' | 'passing' | 'unclear'
  reason: Extract<Reason, 'refused' | 'broken' | 'busy'>
  why: string
  /**
   * What it is about, where that matters: our token or key, whatever is pushed to this branch, so much at once, so often, or
   * the room on our own disk.
   */
  about?: 'credentials' | 'branch' | 'size' | 'rate' | 'room'
}

interface Sign {
  sign: RegExp
  /** Takes what the sign's group found, and all that was said. */
  means(found: string, text: string): Meaning
}

const broken = (why: string): Meaning => ({ kind: 'final', reason: 'broken', why })
const passing = (why: string): Meaning => ({ kind: 'passing', reason: 'busy', why })

/**
 * How git, and the curl and the ssh that it uses, say what is wrong; the first that is found counts. They tell these apart in
 * their words alone: the exit code is 1, 128 or 255 for all of them. LC_ALL=C keeps the words as they are; those of curl depend
 * on the TLS library it was built with, so both are here.
 */
export const meanings: readonly Sign[] = [
  // First of all: servers say so with a hook that declines, and with 403 too.
  {
    sign: /(?:returned error: |HTTP )429|\b(?:secondary|exceeded (?:a|the|your)) rate limit|\brate limit (?:exceeded|reached)|too many requests|requested too many times/i,
    means: (_, text) => ({ ...passing(`the Git server wants to be asked less often${remarks(text)}`), about: 'rate' }),
  },
  {
    sign: /\[remote rejected\] \((.*(?:declined|prohibited|denied|protected|not (?:allowed|permitted)|currently checked out|internal server error).*)\)/i,
    means: declined,
  },
  {
    sign: /(?:returned error: |HTTP )413|pack exceeds maximum allowed size/,
    means: (_, text) => ({
      ...broken(
        `the Git server takes no push of this size${text.includes(' 413') ? ' (413)' : ''}: let it take larger ones, as by client_max_body_size of nginx or receive.maxInputSize of Git`,
      ),
      about: 'size',
    }),
  },
  {
    sign: /mismatched algorithms|does not support this repository's hash algorithm/,
    means: () =>
      broken('the repository has SHA-256 object names, and Drover wants SHA-1: make it anew without --object-format'),
  },
  {
    sign: /^remote: .*(?:No space left on device|Disk quota exceeded)/m,
    means: () => passing('the Git server has no room left on its disk'),
  },
  {
    // Of a branch that it cannot write it does not say why.
    sign: /No space left on device|Disk quota exceeded|Out of diskspace|couldn't write '\S+\.lock'/,
    means: () => ({ kind: 'unclear', reason: 'busy', why: noRoom, about: 'room' }),
  },
  // TLS
  {
    sign: /Problem with the SSL CA cert|error setting certificate|error reading ca cert file/,
    means: () => broken('the file of DROVER_GIT_CA_FILE cannot be read or holds no certificate'),
  },
  {
    sign: /certificate subject name .*does not match|no alternative certificate subject name matches/,
    means: () =>
      broken(
        "the Git server's certificate is for another host: DROVER_GIT_URL must name a host that the certificate is for",
      ),
  },
  {
    sign: /certificate has expired|certificate is not yet valid|expiration date has passed|activation date is in the future/,
    means: () => broken("the Git server's certificate is out of date, or the clock is wrong here"),
  },
  {
    sign: /server certificate verification failed|SSL certificate problem/,
    means: () =>
      broken(
        "the Git server's certificate cannot be verified: DROVER_GIT_CA_FILE must name a file with the certificate of the authority that issued it",
      ),
  },
  // The proxy
  {
    sign: /from proxy after CONNECT|CONNECT tunnel failed|returned error: (?=407)|resolve proxy|Invalid proxy|Unsupported proxy/i,
    means: (_, text) => proxy(text),
  },
  // ssh
  {
    sign: /No \S+ host key is known for (\S+)/,
    means: (host) =>
      broken(
        `the key of the Git server is not known: DROVER_GIT_KNOWN_HOSTS_FILE must hold a key of ${host}; ask whoever runs the server for it`,
      ),
  },
  {
    sign: /Host key for (\S+) has changed/,
    means: (host) =>
      broken(
        `${host} shows another key than the one in DROVER_GIT_KNOWN_HOSTS_FILE, so it may be somebody else: if whoever runs the server has changed it, put its new key there`,
      ),
  },
  {
    sign: /Host key verification failed/,
    means: () => broken('the key of the Git server cannot be verified: look at DROVER_GIT_KNOWN_HOSTS_FILE'),
  },
  {
    sign: /No user exists for uid (\d+)/,
    means: (uid) =>
      broken(
        `ssh runs only for a user with a name, and /etc/passwd has none for ${uid}: name one there, or use an address of https`,
      ),
  },
  {
    sign: /\bssh: (?:not found|command not found)|cannot run ssh/,
    means: () => broken('there is no ssh here: install it, or use an address of https'),
  },
  {
    sign: /Load key ".*": /,
    means: () => ({
      ...broken('the file of DROVER_GIT_SSH_KEY_FILE holds no private key that ssh can use'),
      about: 'credentials',
    }),
  },
  {
    sign: /marked as read only|(?:does not|doesn't) have write access/,
    means: (_, text) => broken(`the Git server forbids it${remarks(text)}`),
  },
  // HTTP, and what both say
  {
    sign: /(?:returned error: |HTTP )401|Authentication failed|could not read (?:Username|Password)|Permission denied \(/,
    means: () => ({ ...broken('the Git server does not accept our credentials'), about: 'credentials' }),
  },
  {
    sign: /(?:returned error: |HTTP )403/,
    means: (_, text) => broken(`the Git server forbids it (403)${remarks(text)}`),
  },
  {
    sign: /(?:returned error: |HTTP )404|repository '.*' not found|does not appear to be a git repository|ERROR: .*not (?:be )?found/,
    means: () => broken('the Git server knows no such repository, or hides it from us'),
  },
  {
    sign: /(?:returned error: |HTTP )(3\d\d)/,
    means: (status) => broken(`the Git server redirects (${status}), its final address was expected`),
  },
  {
    sign: /(?:returned error: |HTTP )(\d{3})/,
    means: (status) => passing(`the Git server answered ${status}`),
  },
  {
    sign: /unable to access|Could not resolve|Connection (?:refused|reset|closed|timed out)|hung up|RPC failed|early EOF|unexpected disconnect|closed by remote host|Broken pipe|Operation timed out|No route to host|Network is unreachable|not responding|Could not read from remote/i,
    means: () => passing('the Git server cannot be reached'),
  },
]

/** Why nothing can be put into the clone. */
export const noRoom = 'the disk that holds the clone is full: give the folder of DROVER_GIT_DIRECTORY more room'

/** What a hook says that could not ask the rest of its server, as GitLab's and Gitea's do while that is started anew. */
const UNWELL = new RegExp(
  [
    /\binternal (?:server |api |server connection )?error\b/,
    /\bAPI (?:is not accessible|(?:is )?unreachable)/,
    /\b(?:unable|failed) to (?:contact|connect|reach)\b/,
    /\bconnection (?:refused|reset)|\btimed out\b/,
    /\b50[0234] (?:bad gateway|service (?:temporarily )?unavailable|gateway time)/,
    /\b(?:http|status)(?: code)?:? 50[0234]\b/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
)
const PROTECTED = /protected branch|pull request|merge request|pushes to this branch|not allowed to push|update branch/i

/** A push that was declined: by a server that is unwell, for what is in it, or because nobody like us may push to this branch. */
function declined(why: string, text: string): Meaning {
  const said = `(${why})${remarks(text)}`
  if (UNWELL.test(said)) return passing(`the Git server failed while it looked at the push ${said}`)
  if (!PROTECTED.test(said)) return { kind: 'final', reason: 'refused', why: `the Git server declined it ${said}` }
  return {
    kind: 'final',
    reason: 'refused',
    about: 'branch',
    why: `the branch is protected: let Drover's account push to it without a review, or give Drover another branch (DROVER_GIT_BRANCH); the Git server said ${said}`,
  }
}

function proxy(text: string): Meaning {
  if (/Invalid proxy|Unsupported proxy/.test(text)) return broken('the address of the proxy cannot be used')
  const status = /(?:HTTP code |response |returned error: )(\d{3})/.exec(text)?.[1]
  if (status === undefined) return passing('the proxy cannot be reached')
  if (status === '407')
    return broken(
      'the proxy does not accept our credentials (407): its address must hold the user name and the password',
    )
  if (status === '403')
    return broken(
      'the proxy does not let us through to the Git server (403): let it do so, or name the server in NO_PROXY',
    )
  return passing(`the proxy answered ${status}`)
}

function remarks(text: string): string {
  const lines = [...text.matchAll(/^(?:remote: *(?=\S)|(?=ERROR: ))(.*[A-Za-z].*\S)\s*$/gm)].map((match) => match[1])
  return lines.length > 0 ? `: ${lines.join(' ').slice(0, 300)}` : ''
}
