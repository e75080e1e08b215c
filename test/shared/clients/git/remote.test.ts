import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { type RemoteConfig, toRemote } from '../../../../shared/clients/git/remote.ts'

const settingsOf = (env: Record<string, string>) =>
  Object.fromEntries(
    Array.from({ length: Number(env['GIT_CONFIG_COUNT']) }, (_, index) => [
      env[`GIT_CONFIG_KEY_${index}`],
      env[`GIT_CONFIG_VALUE_${index}`],
    ]),
  )

const ssh = { keyFile: '/keys/key', knownHostsFile: '/keys/known_hosts' }
const evil = {
  GIT_SSH: 'evil',
  GIT_SSH_COMMAND: 'evil',
  GIT_PROXY_COMMAND: 'evil',
  GIT_SSL_NO_VERIFY: '1',
  SSH_AUTH_SOCK: '/agent',
  LD_PRELOAD: 'evil.so',
}
const remoteOf = (config: Partial<RemoteConfig> & { url: string }) => toRemote({ directory: tmpdir(), ...config })

describe('toRemote', () => {
  it('keeps the credentials of an address out of it, and sends them to its host alone', async () => {
    const remote = remoteOf({ url: 'https://ann:p%40ss@git.example.com/fleet.git' })
    expect(remote.url).toBe('https://git.example.com/fleet.git')
    const settings = settingsOf(await remote.environment())
    expect(settings['http.https://git.example.com/.extraHeader']).toBe(`Authorization: Basic ${btoa('ann:p@ss')}`)
    expect(settings).toMatchObject({
      'protocol.allow': 'never',
      'protocol.https.allow': 'always',
      'http.followRedirects': 'false',
      'http.sslVerify': 'true',
    })
    expect(settings).not.toHaveProperty('protocol.file.allow')
    expect(remote.redact(`x p@ss y p%40ss z ${btoa('ann:p@ss')}`)).toBe('x *** y *** z ***')
  })

  it('asks for the token each time', async () => {
    let count = 0
    const remote = remoteOf({ url: 'http://localhost/x', token: async () => `t${count++}` })
    const values = [await remote.environment(), await remote.environment()].map(
      (env) => settingsOf(env)['http.http://localhost/.extraHeader'],
    )
    expect(values).toEqual(['t0', 't1'].map((token) => `Authorization: Basic ${btoa(`x-access-token:${token}`)}`))
  })

  it('passes on of the environment only what Git needs to reach a server', async () => {
    const env = await remoteOf({
      url: 'https://h/x',
      env: { PATH: '/p', https_proxy: 'http://proxy', SECRET: 's', ...evil },
    }).environment()
    expect(env).toMatchObject({
      PATH: '/p',
      https_proxy: 'http://proxy',
      LC_ALL: 'C',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
    })
    for (const name of ['SECRET', ...Object.keys(evil)]) expect(env).not.toHaveProperty(name)
  })

  it('asks ssh for a key and known hosts, or does not begin', () => {
    const sentence = 'Cannot use ssh for the fleet repository: it needs a key and the known hosts'
    expect(() => remoteOf({ url: 'git@github.com:acme/fleet.git' })).toThrow(sentence)
  })

  it.each([
    ['http://ann:hunter2@proxy:3128', ['hunter2', 'ann:hunter2', btoa('ann:hunter2')]],
    ['ann:hunter2@proxy:3128', ['hunter2', btoa('ann:hunter2')]],
    ['http://ann:hunt%40er2@proxy', ['hunt@er2', 'hunt%40er2', btoa('ann:hunt@er2')]],
    ['http://ann:hunt@er2@proxy', ['hunt@er2', 'hunt%40er2', btoa('ann:hunt@er2')]],
    ['http://ann:100%@proxy', ['100%', '100%25']],
  ])('takes the password of the proxy %s out of what is said', (proxy, secrets) => {
    const { redact } = remoteOf({ url: 'https://h/x', env: { https_proxy: proxy } })
    for (const secret of secrets) expect(redact(`a ${secret} b`)).toBe('a *** b')
    expect(redact('proxy ann 3128')).toBe('proxy ann 3128')
  })

  it.each(['git@github.com:acme/fleet.git', 'ssh://git@github.com/acme/fleet.git', 'file:///srv/fleet.git'])(
    'takes %s as it is',
    (url) => {
      expect(remoteOf({ url, ssh }).url).toBe(url)
    },
  )

  it.each([
    '',
    'fleet.git',
    '/srv/fleet.git',
    '--upload-pack=touch /tmp/x',
    'ext::sh -c x',
    'git://h/x',
    '-x@h:y',
    'javascript:1',
    'a@h:-x',
    'ssh://-oProxyCommand=x/y',
  ])('refuses the address %j', (url) => {
    expect(() => remoteOf({ url, ssh })).toThrow(
      'Cannot use the address of the fleet repository: it must begin with https, http, ssh or file',
    )
  })
})
