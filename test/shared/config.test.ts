import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type Environment, newSigningKey, readConfig } from '../../shared/config.ts'

const folder = mkdtempSync(join(tmpdir(), 'config-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

const secret = '0123456789abcdef'
const enough: Environment = { DROVER_GIT_URL: 'https://git.example.com/fleet.git', DROVER_SIGNING_KEYS: `k1:${secret}` }
const never = (sentence: string) => expect.fail(sentence)
const read = (changes: Environment) => readConfig({ ...enough, ...changes })

describe('the configuration', () => {
  it('needs an address of the fleet repository and a key, no more', () => {
    const config = readConfig(enough)
    expect(config.signingKeys(never)).toEqual([{ id: 'k1', secret }])
    expect(config).toMatchObject({
      function: undefined,
      port: 8080,
      broker: undefined,
      git: { url: 'https://git.example.com/fleet.git', branch: 'main' },
      argocd: { repoUrl: 'https://git.example.com/fleet.git', rootApplication: 'drover-hub' },
      callback: { allowPrivate: false },
    })
  })

  it('names everything that is wrong at once', () => {
    const env = { FUNCTION: 'frobnicate', PORT: '99999', DROVER_GRACE_SECONDS: 'soon' }
    expect(() => readConfig(env)).toThrow(
      'Cannot start: FUNCTION is "frobnicate", wanted one of validate, allocate, place, register, build, commit, verify, notify, recover; DROVER_GIT_URL is not set; PORT is "99999", wanted a number from 1 to 65535; DROVER_SIGNING_KEYS (or DROVER_SIGNING_KEYS_FILE) is not set, wanted "id:secret"; DROVER_GRACE_SECONDS is "soon", wanted a number from 0 to 600',
    )
  })

  it.each<[string, Environment, string]>([
    ['an empty address', { DROVER_GIT_URL: '' }, 'DROVER_GIT_URL is empty'],
    ['an address that is none', { DROVER_GIT_URL: 'fleet.git' }, 'DROVER_GIT_URL is not a URL'],
    ['an empty branch', { DROVER_GIT_BRANCH: '' }, 'DROVER_GIT_BRANCH is empty'],
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
    ['a CMDB file that is not there', { DROVER_CMDB_CONFIG: '/nowhere' }, 'DROVER_CMDB_CONFIG names a file'],
    ['a key file that is not there', { DROVER_SIGNING_KEYS_FILE: '/nowhere' }, 'DROVER_SIGNING_KEYS_FILE names a file'],
    ['a key without an id', { DROVER_SIGNING_KEYS: secret }, 'DROVER_SIGNING_KEYS holds a bad key'],
    ['a short key', { DROVER_SIGNING_KEYS: 'k1:short' }, 'DROVER_SIGNING_KEYS holds a bad key'],
    ['two keys of one id', { DROVER_SIGNING_KEYS: `k1:${secret} k1:x${secret}` }, 'two keys of one id'],
  ])('refuses %s', (_, env, sentence) => {
    expect(() => read(env)).toThrow(sentence)
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

  it('reads a secret from its file at each use', async () => {
    const path = file('token', 'one\n')
    const { git } = read({ DROVER_GIT_TOKEN_FILE: path, DROVER_GIT_TOKEN: 'not this' })
    expect(await git.token?.()).toBe('one')
    file('token', 'two\n')
    expect(await git.token?.()).toBe('two')
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
