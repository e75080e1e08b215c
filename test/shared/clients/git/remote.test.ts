import { describe, expect, it } from 'vitest'
import { toRemote } from '../../../../shared/clients/git/remote.ts'

const settingsOf = (env: Record<string, string>) =>
  Object.fromEntries(
    Array.from({ length: Number(env['GIT_CONFIG_COUNT']) }, (_, index) => [
      env[`GIT_CONFIG_KEY_${index}`],
      env[`GIT_CONFIG_VALUE_${index}`],
    ]),
  )

describe('toRemote', () => {
  it('keeps the credentials of an address out of it, and sends them to its host alone', async () => {
    const remote = toRemote({ url: 'https://ann:p%40ss@git.example.com/fleet.git' })
    expect(remote.url).toBe('https://git.example.com/fleet.git')
    const settings = settingsOf(await remote.environment())
    expect(settings['http.https://git.example.com/.extraHeader']).toBe(`Authorization: Basic ${btoa('ann:p@ss')}`)
    expect(settings).toMatchObject({
      'protocol.allow': 'never',
      'protocol.https.allow': 'always',
      'http.followRedirects': 'false',
    })
    expect(settings).not.toHaveProperty('protocol.file.allow')
    expect(remote.redact(`x p@ss y p%40ss z ${btoa('ann:p@ss')}`)).toBe('x *** y *** z ***')
  })

  it('asks for the token each time, and sends it as a Bearer token if told to', async () => {
    let count = 0
    const remote = toRemote({ url: 'http://localhost/x', token: async () => `t${count++}`, scheme: 'bearer' })
    const values = [await remote.environment(), await remote.environment()].map(
      (env) => settingsOf(env)['http.http://localhost/.extraHeader'],
    )
    expect(values).toEqual(['Authorization: Bearer t0', 'Authorization: Bearer t1'])
  })

  it('passes on of the environment only what Git needs to reach a server', async () => {
    const env = await toRemote({
      url: 'https://h/x',
      env: { PATH: '/p', https_proxy: 'http://proxy', SECRET: 's', GIT_SSH: 'evil' },
    }).environment()
    expect(env).toMatchObject({
      PATH: '/p',
      https_proxy: 'http://proxy',
      LC_ALL: 'C',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
    })
    expect(env).not.toHaveProperty('SECRET')
    expect(env).not.toHaveProperty('GIT_SSH')
  })

  it.each(['git@github.com:acme/fleet.git', 'ssh://git@github.com/acme/fleet.git', 'file:///srv/fleet.git'])(
    'takes %s as it is',
    (url) => {
      expect(toRemote({ url }).url).toBe(url)
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
    expect(() => toRemote({ url })).toThrow(
      'Cannot use the address of the fleet repository: it must begin with https, http, ssh or file',
    )
  })
})
