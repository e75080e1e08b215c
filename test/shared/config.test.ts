import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type Environment, newSigningKey, readConfig } from '../../shared/config.ts'
import { functionNames } from '../../shared/lifecycles.ts'

const folder = mkdtempSync(join(tmpdir(), 'config-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

const secret = '0123456789abcdef'
const text = file('text', 'ssh-ed25519 AAAA\n')
/** The beginning of a key as OpenSSH writes it: all that is read of it. */
const keyFile = (name: string, cipher: string) => {
  const head = Buffer.from(`openssh-key-v1\0\0\0\0${String.fromCharCode(cipher.length)}${cipher}`)
  const label = 'OPENSSH PRIVATE KEY'
  return file(name, `-----BEGIN ${label}-----\n${head.toString('base64')}\n-----END ${label}-----\n`)
}
const overSsh = (changes: Environment): Environment => ({
  DROVER_GIT_URL: 'ssh://git@git.example.com/fleet.git',
  DROVER_GIT_SSH_KEY_FILE: keyFile('key', 'none'),
  DROVER_GIT_KNOWN_HOSTS_FILE: text,
  ...changes,
})
const enough: Environment = { DROVER_GIT_URL: 'https://git.example.com/fleet.git', DROVER_SIGNING_KEYS: `k1:${secret}` }
const never = (sentence: string) => expect.fail(sentence)
const read = (changes: Environment) => readConfig({ ...enough, ...changes })

describe('the configuration', () => {
  it('lets an error last no longer than a delivery waits, where nobody said how long', () => {
    expect(read({}).graceSeconds).toBe(30)
    expect(read({ DROVER_PATIENCE_SECONDS: '10' }).graceSeconds).toBe(6)
  })

  it('needs an address of the fleet repository and a key, no more', () => {
    const config = readConfig(enough)
    expect(config.signingKeys(never)).toEqual([{ id: 'k1', secret }])
    expect(config).toMatchObject({
      function: undefined,
      port: 8080,
      broker: undefined,
      git: { url: 'https://git.example.com/fleet.git', branch: 'main' },
      argocd: { repoUrl: 'https://git.example.com/fleet.git', rootApplication: 'drover-hub' },
      callback: { reach: 'public' },
    })
  })

  it.each([
    ['false', 'public'],
    ['true', 'private'],
    ['loopback', 'loopback'],
  ])('lets callbacks go as far as DROVER_CALLBACK_ALLOW_PRIVATE says: %s', (word, reach) => {
    expect(readConfig({ ...enough, DROVER_CALLBACK_ALLOW_PRIVATE: word }).callback).toEqual({ reach })
  })

  it('names everything that is wrong at once', () => {
    const env = { FUNCTION: 'frobnicate', PORT: '99999', DROVER_GRACE_SECONDS: 'soon' }
    expect(() => readConfig(env)).toThrow(
      'Cannot start: FUNCTION is "frobnicate", wanted one of validate, locate, allocate, place, register, build, commit, verify, notify, recover; DROVER_GIT_URL is not set; PORT is "99999", wanted a number from 1 to 65535; DROVER_SIGNING_KEYS (or DROVER_SIGNING_KEYS_FILE) is not set, wanted "id:secret"; DROVER_GRACE_SECONDS is "soon", wanted a number from 0 to 590',
    )
  })

  it.each<[string, Environment, string]>([
    ['an empty address', { DROVER_GIT_URL: '' }, 'DROVER_GIT_URL is empty'],
    [
      'an address that is none',
      { DROVER_GIT_URL: 'fleet.git' },
      'DROVER_GIT_URL is no address of a Git repository, wanted one of https, http or ssh',
    ],
    [
      'an address with a password',
      { DROVER_GIT_URL: `https://ann:${secret}@git.example.com/fleet.git` },
      'DROVER_GIT_URL holds a password, wanted in the file of DROVER_GIT_TOKEN_FILE',
    ],
    [
      'a password for Argo CD to show',
      { DROVER_ARGOCD_REPO_URL: `https://ann:${secret}@git/x` },
      'DROVER_ARGOCD_REPO_URL holds a password',
    ],
    ['an empty branch', { DROVER_GIT_BRANCH: '' }, 'DROVER_GIT_BRANCH is empty'],
    [
      'an error that must last longer than anybody looks',
      { DROVER_GRACE_SECONDS: '60' },
      'DROVER_GRACE_SECONDS is 60, wanted less than DROVER_PATIENCE_SECONDS (50): within one delivery an error must be seen to last',
    ],
    ['an empty port', { PORT: '' }, 'PORT is "", wanted a number from 1 to 65535'],
    ['a Broker that is no address', { DROVER_BROKER_URL: 'broker' }, 'DROVER_BROKER_URL is not a URL'],
    ['a sink that is no address', { K_SINK: 'broker' }, 'K_SINK is not a URL'],
    ['a log level that is none', { DROVER_LOG_LEVEL: 'loud' }, 'DROVER_LOG_LEVEL is "loud", wanted one of trace'],
    [
      'a resolver by name',
      { DROVER_DNS_RESOLVERS: '10.0.0.2,dns.example.com' },
      'DROVER_DNS_RESOLVERS holds "dns.example.com"',
    ],
    ['a token file that is not there', { DROVER_GIT_TOKEN_FILE: '/nowhere' }, 'DROVER_GIT_TOKEN_FILE names a file'],
    [
      'a token of the Broker that is not there',
      { DROVER_BROKER_TOKEN_FILE: '/nowhere' },
      'DROVER_BROKER_TOKEN_FILE names',
    ],
    [
      'private callbacks by another word',
      { DROVER_CALLBACK_ALLOW_PRIVATE: 'yes' },
      'DROVER_CALLBACK_ALLOW_PRIVATE is "yes", wanted one of false, true, loopback',
    ],
    ['a CMDB file that is not there', { DROVER_CMDB_CONFIG: '/nowhere' }, 'DROVER_CMDB_CONFIG names a file'],
    ['a key file that is not there', { DROVER_SIGNING_KEYS_FILE: '/nowhere' }, 'DROVER_SIGNING_KEYS_FILE names a file'],
    ['a key without an id', { DROVER_SIGNING_KEYS: secret }, 'DROVER_SIGNING_KEYS holds a bad key'],
    ['a short key', { DROVER_SIGNING_KEYS: 'k1:short' }, 'DROVER_SIGNING_KEYS holds a bad key'],
    ['two keys of one id', { DROVER_SIGNING_KEYS: `k1:${secret} k1:x${secret}` }, 'two keys of one id'],
    ['authorities that are not there', { DROVER_GIT_CA_FILE: '/nowhere' }, 'DROVER_GIT_CA_FILE names no file with'],
    ['a file without authorities', { DROVER_GIT_CA_FILE: text }, 'DROVER_GIT_CA_FILE names no file with a certificate'],
    [
      'ssh without a key',
      { DROVER_GIT_URL: 'git@git.example.com:fleet.git' },
      'DROVER_GIT_SSH_KEY_FILE is not set; DROVER_GIT_KNOWN_HOSTS_FILE is not set',
    ],
    [
      'a public key',
      overSsh({ DROVER_GIT_SSH_KEY_FILE: text }),
      'DROVER_GIT_SSH_KEY_FILE names no file with a private key',
    ],
    [
      'a key with a passphrase',
      overSsh({ DROVER_GIT_SSH_KEY_FILE: keyFile('locked', 'aes256-ctr') }),
      'DROVER_GIT_SSH_KEY_FILE names a key with a passphrase, wanted one without',
    ],
    [
      'a PEM key with a passphrase',
      overSsh({ DROVER_GIT_SSH_KEY_FILE: file('pem', '-----BEGIN ENCRYPTED PRIVATE KEY-----\n') }),
      'DROVER_GIT_SSH_KEY_FILE names a key with a passphrase',
    ],
    [
      'no known hosts',
      overSsh({ DROVER_GIT_KNOWN_HOSTS_FILE: file('nobody', '\n') }),
      'DROVER_GIT_KNOWN_HOSTS_FILE names no file with keys of hosts',
    ],
    ['a proxy that is no address', { HTTPS_PROXY: 'http://' }, 'HTTPS_PROXY is no address of a proxy'],
    ['a password of a proxy as it is', { https_proxy: `http://ann:p@ss${secret}@proxy` }, 'must be encoded (%40)'],
  ])('refuses %s, and repeats no secret', (_, env, sentence) => {
    expect(() => read(env)).toThrow(expect.not.stringContaining(secret))
    expect(() => read(env)).toThrow(sentence)
  })

  it.each<[string, Environment, string]>([
    [
      'a misspelt variable',
      { DROVER_GIT_URLL: 'x' },
      'DROVER_GIT_URLL is not a setting (did you mean DROVER_GIT_URL?)',
    ],
    ['a variable of ours that nothing is like', { DROVER_COLOUR: 'x' }, 'DROVER_COLOUR is not a setting'],
  ])('refuses %s', (_, env, sentence) => {
    expect(() => read(env)).toThrow(new Error(`Cannot start: ${sentence}`))
  })

  it("passes over other people's variables, and those of Services whose name begins with ours", () => {
    const env = { GIT_URL: 'x', DROVER_BROKER_SERVICE_HOST: 'x', DROVER_BROKER_PORT_80_TCP_ADDR: 'x' }
    expect(read({ ...env, DROVER_BROKER_PORT: 'x', DROVER_BROKER_SERVICE_PORT_HTTP: 'x' }).port).toBe(8080)
  })

  it.each(['notify', 'verify'])('needs no fleet repository for %s, which does not use it', (name) => {
    const env = { FUNCTION: name, DROVER_SIGNING_KEYS: `k1:${secret}` }
    expect(readConfig(env).function).toBe(name)
    expect(() => readConfig({ ...env, FUNCTION: 'commit' })).toThrow('Cannot start: DROVER_GIT_URL is not set')
    expect(() => readConfig({ ...env, DROVER_GIT_URL: '' })).toThrow('Cannot start: DROVER_GIT_URL is empty')
  })

  it.each([
    ['10.0.0.1', 'https://10.0.0.1:6443'],
    ['fd00::1', 'https://[fd00::1]:6443'],
  ])('finds the own cluster of a Pod at %s', (host, address) => {
    const { kubernetes } = read({ KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: '6443' })
    expect(kubernetes.ownCluster).toBe(address)
    expect(read({}).kubernetes.ownCluster).toBeUndefined()
  })

  it('says nothing of a secret that is wrong', () => {
    const env = { DROVER_SIGNING_KEYS: 'hunter2', DROVER_GIT_URL: 'user:hunter2@git' }
    expect(() => read(env)).toThrow(expect.not.stringContaining('hunter2'))
  })

  it.each(['10.0.0.2', '10.0.0.2:5353', 'fd00::2', '[fd00::2]:53'])('takes the resolver %s', (one) => {
    expect(read({ DROVER_DNS_RESOLVERS: one }).dnsResolvers).toEqual([one])
  })

  it('takes no empty text for an address of the Broker, a function or a kubeconfig', () => {
    const config = read({ K_SINK: '', FUNCTION: '', KUBECONFIG: '' })
    expect([config.broker, config.function, config.kubernetes.kubeconfig]).toEqual([undefined, undefined, undefined])
  })

  it.each(['git@git.example.com:team/fleet.git', 'ssh://git@git.example.com:2222/fleet.git'])(
    'takes the address of ssh %s with a key and known hosts, for Argo CD too',
    (url) => {
      const { git, argocd } = read(overSsh({ DROVER_GIT_URL: url }))
      expect(git.ssh).toEqual({ keyFile: join(folder, 'key'), knownHostsFile: text })
      expect(argocd.repoUrl).toBe(url)
    },
  )

  it.each([
    ['https://github.com/acme/fleet.git', {}, 10],
    ['git@github.com:acme/fleet.git', {}, 10],
    ['git@GitHub.com:acme/fleet.git', {}, 10],
    ['ssh://git@ssh.github.com:443/acme/fleet.git', {}, 10],
    ['https://github.com/acme/fleet.git', { DROVER_GIT_PUSH_SECONDS: '0' }, 0],
    ['https://github.com.example.com/acme/fleet.git', {}, 0],
    ['https://github.example.com/acme/fleet.git', {}, 0],
    ['https://git.example.com/acme/fleet.git', { DROVER_GIT_PUSH_SECONDS: '2.5' }, 2.5],
  ])('lets pushes to %s with %j be %d seconds apart', (url, env, seconds) => {
    expect(read(overSsh({ DROVER_GIT_URL: url, ...env })).git.window).toEqual({
      runs: 100,
      milliseconds: seconds * 1_000,
    })
  })

  it.each(functionNames)(
    'asks for a key and known hosts in "%s" only if it has to do with the fleet repository',
    (name) => {
      const isOpened = readFileSync(`functions/${name}/index.ts`, 'utf8').includes('shareFleet(')
      const start = () => read({ FUNCTION: name, DROVER_GIT_URL: 'ssh://git@git.example.com/fleet.git' })
      if (isOpened) expect(start).toThrow('DROVER_GIT_SSH_KEY_FILE is not set')
      else expect(start().git.ssh).toBeUndefined()
    },
  )

  it('refuses ssh for a user without a name, which ssh would', ({ skip }) => {
    skip(process.getuid?.() !== 0, 'only root can become such a user')
    const env = overSsh({})
    process.seteuid?.(54_321)
    try {
      expect(() => read(env)).toThrow(
        'DROVER_GIT_URL is an address of ssh, which runs only for a user with a name: /etc/passwd has none for 54321',
      )
    } finally {
      process.seteuid?.(0)
    }
  })

  it('tells Git of the proxies, and of nothing else in the environment', () => {
    const env = { HTTPS_PROXY: 'http://one:1', https_proxy: 'http://two:2', HTTP_PROXY: 'three:3', NO_PROXY: '.svc' }
    const { git } = read({ ...env, all_proxy: '', PATH: '/p', HOME: '/h', GIT_SSL_NO_VERIFY: '1', SECRET: 's' })
    expect(git.env).toEqual({
      PATH: '/p',
      HOME: '/h',
      https_proxy: 'http://two:2',
      http_proxy: 'three:3',
      no_proxy: '.svc',
    })
  })

  it('reads a secret from its file at each use', async () => {
    const path = file('token', 'one\n')
    const { git } = read({ DROVER_GIT_TOKEN_FILE: path, DROVER_GIT_TOKEN: 'not this' })
    expect(await git.token?.()).toBe('one')
    file('token', 'two\n')
    expect(await git.token?.()).toBe('two')
  })

  it('reads the token for the Broker at each use', async () => {
    const { brokerToken } = read({ DROVER_BROKER_TOKEN_FILE: file('broker-token', 'one\n') })
    expect(await brokerToken?.()).toBe('one')
    file('broker-token', 'two\n')
    expect(await brokerToken?.()).toBe('two')
    file('broker-token', '\n')
    await expect(brokerToken?.()).rejects.toThrow('the file of DROVER_BROKER_TOKEN_FILE is empty')
    expect(read({}).brokerToken).toBeUndefined()
  })

  it.each<[string | undefined, boolean]>([
    [undefined, false],
    ['false', false],
    ['true', true],
  ])('asks the hub about requesters when told %s: %s', (text, asks) => {
    expect(read(text === undefined ? {} : { DROVER_ACCESS_REVIEW: text }).accessReview).toBe(asks)
  })

  it.each(['yes', 'True', '1', ''])('does not guess what "%s" means for who may act', (text) => {
    expect(() => read({ DROVER_ACCESS_REVIEW: text })).toThrow('DROVER_ACCESS_REVIEW is')
  })

  it('reads several keys from a file, the first of which signs', () => {
    const path = file('keys', `k2:${secret}:2\nk1:${secret}\n`)
    const { signingKeys } = readConfig({ DROVER_GIT_URL: 'https://x', DROVER_SIGNING_KEYS_FILE: path })
    expect(signingKeys(never)).toEqual([
      { id: 'k2', secret: `${secret}:2` },
      { id: 'k1', secret },
    ])
  })

  it('makes keys that it takes', () => {
    expect(read({ DROVER_SIGNING_KEYS: newSigningKey() }).signingKeys(never)).toHaveLength(1)
  })
})
