import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { type CmdbConfig, openCmdb, readCmdbConfig } from '../../../shared/clients/cmdb.ts'
import type { CmdbRecord } from '../../../shared/cmdb.ts'
import { type Answers, listening } from './listening.ts'

const folder = new URL('../../../examples/cmdb/', import.meta.url).pathname
const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

const record = (changes: Partial<CmdbRecord> = {}): CmdbRecord => ({
  run: '0123456789abcdef0123',
  name: 'web-01',
  namespace: 'shop',
  cluster: 'site-a',
  fqdn: 'web-01.example.com',
  addresses: '10.20.0.17',
  owner: 'team-shop',
  requester: 'ann@example.com',
  environment: 'prod',
  application: 'shop',
  template: 'linux-small',
  ticket: '',
  ...changes,
})
const key = 'web-01.0123456789abcdef0123'

/** A client by one of the example files, against a server of the test. */
async function cmdbThat(
  answers: Answers,
  file = 'servicenow.yaml',
  token: () => Promise<string> = async () => 'hunter2',
) {
  const server = await listening(answers)
  open.push(server.close)
  const config: CmdbConfig = { ...readCmdbConfig(folder + file), url: server.url }
  return { cmdb: openCmdb(config, token), asked: server.asked }
}

/** A table as ServiceNow would keep it; `lose` swallows the answer to the next change. */
function table() {
  const rows: Record<string, unknown>[] = []
  const state = { lose: false }
  const answers: Answers = ({ method, path, body }) => {
    const url = new URL(path, 'http://x')
    if (method === 'GET') {
      const wanted = url.searchParams.get('sysparm_query')?.replace('correlation_id=', '')
      return { status: 200, body: { result: rows.filter((row) => row['correlation_id'] === wanted) } }
    }
    const given = JSON.parse(body)
    const old = rows.find(({ sys_id }) => path.endsWith(`/${sys_id}`))
    const row = old ? Object.assign(old, given) : { sys_id: `id${rows.length}`, ...given }
    if (!old) rows.push(row)
    if (state.lose) {
      state.lose = false
      return 'nothing'
    }
    return { status: old ? 200 : 201, body: { result: row } }
  }
  return { rows, state, answers }
}

describe('a ServiceNow-like CMDB', () => {
  it('gets one record for a machine, brought from state to state', async () => {
    const { rows, answers } = table()
    const { cmdb } = await cmdbThat(answers)
    expect(await cmdb.register(record(), 'planned')).toEqual({ id: 'id0' })
    expect(rows).toMatchObject([{ correlation_id: key, name: 'web-01', install_status: '4' }])
    expect(await cmdb.register(record({ addresses: '10.20.0.18' }), 'operational')).toEqual({ id: 'id0' })
    expect(rows).toMatchObject([{ install_status: '1', ip_address: '10.20.0.18' }])
    expect(await cmdb.register(record(), 'retired')).toEqual({ id: 'id0' })
    expect(rows).toMatchObject([{ install_status: '7' }])
    expect(rows).toHaveLength(1)
  })

  it('is not moved back by a late delivery', async () => {
    const { rows, answers } = table()
    const { cmdb } = await cmdbThat(answers)
    await cmdb.register(record(), 'operational')
    await cmdb.register(record(), 'planned')
    expect(rows).toMatchObject([{ install_status: '1' }])
  })

  it('has one record when the answer to the first delivery was lost', async () => {
    const { rows, state, answers } = table()
    const { cmdb } = await cmdbThat(answers)
    state.lose = true
    await expect(cmdb.register(record(), 'planned')).rejects.toMatchObject({
      reason: 'broken',
      message: 'Cannot reach the CMDB',
    })
    expect(await cmdb.register(record(), 'planned')).toEqual({ id: 'id0' })
    expect(rows).toHaveLength(1)
  })

  it('keeps machines of one name apart', async () => {
    const { rows, answers } = table()
    const { cmdb } = await cmdbThat(answers)
    await cmdb.register(record(), 'planned')
    await cmdb.register(record({ run: 'f'.repeat(20) }), 'planned')
    expect(rows).toHaveLength(2)
  })

  it('is not told of a retirement that it knows nothing of', async () => {
    const { cmdb, asked } = await cmdbThat(table().answers)
    expect(await cmdb.register(record(), 'retired')).toEqual({ id: '' })
    expect(asked.map(({ method }) => method)).toEqual(['GET'])
  })

  it('gets the token in its header alone, and a key for each change', async () => {
    const { cmdb, asked } = await cmdbThat(table().answers)
    await cmdb.register(record(), 'planned')
    for (const { headers, path, body } of asked) {
      expect(headers).toMatchObject({ authorization: 'Bearer hunter2', 'x-requested-by': 'drover' })
      expect(path + body).not.toContain('hunter2')
    }
    expect(asked.map(({ headers }) => headers['idempotency-key'])).toEqual([key, `${key}.create`])
  })

  it('asks for the token at each call', async () => {
    const tokens = ['one', 'two']
    const { cmdb, asked } = await cmdbThat(table().answers, 'servicenow.yaml', async () => tokens.shift() ?? '')
    await cmdb.register(record(), 'planned')
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer one', 'Bearer two'])
  })
})

describe('a CMDB that takes whole records', () => {
  it('keeps each under our key', async () => {
    const rows: Record<string, unknown> = {}
    const { cmdb, asked } = await cmdbThat(({ method, path, body }) => {
      if (method === 'PUT') rows[path] = JSON.parse(body)
      return { status: rows[path] ? 200 : 404, body: rows[path] }
    }, 'put.yaml')
    for (const state of ['planned', 'operational', 'retired'] as const) {
      expect(await cmdb.register(record(), state)).toEqual({ id: key })
      expect(rows).toMatchObject({ [`/${key}`]: { state, name: 'web-01' } })
    }
    expect(asked.map(({ method }) => method)).toEqual(['GET', 'PUT', 'GET', 'PUT', 'GET', 'PUT'])
  })
})

describe('a value', () => {
  it('cannot change what is asked', async () => {
    const { rows, answers } = table()
    const { cmdb } = await cmdbThat(answers)
    const evil = '","install_status":"1","x":"${ticket}$&'
    await cmdb.register(record({ owner: evil, ticket: 'T-1' }), 'planned')
    expect(rows[0]).toMatchObject({
      install_status: '4',
      short_description: `linux-small for ${evil}, requested by ann@example.com T-1`,
    })
    expect(rows[0]).not.toHaveProperty('x')
  })

  it.each<[string, string, string]>([
    ['/x/${name}', 'a/../b?c#d', '/x/a%2F..%2Fb%3Fc%23d'],
    ['/x?name=${name}', 'a&b=c', '/x?name=a%26b%3Dc'],
  ])('cannot leave its place in %s', async (path, name, asked) => {
    const server = await listening(() => ({ status: 200, body: {} }))
    open.push(server.close)
    const call = { method: 'GET', path } as const
    await openCmdb({ url: server.url, lookup: call, create: call, update: call }).register(record({ name }), 'planned')
    expect(server.asked[0]?.path).toBe(asked)
  })

  it.each(['..', '.'])('cannot be "%s" in a path', async (name) => {
    const call = { method: 'GET', path: '/x/${name}' } as const
    const cmdb = openCmdb({ url: 'http://127.0.0.1:1', lookup: call, create: call, update: call })
    await expect(cmdb.register(record({ name }), 'planned')).rejects.toThrow(`a value is "${name}"`)
  })

  it.each(['owner', 'constructor', 'nothing'])('of "%s" is not there to look records up by', async (name) => {
    const call = { method: 'GET', path: `/x/\${${name}}` } as const
    const cmdb = openCmdb({ url: 'http://127.0.0.1:1', lookup: call, create: call, update: call })
    await expect(cmdb.register(record(), 'planned')).rejects.toThrow(
      `Cannot fill the CMDB template: there is no value "${name}"`,
    )
  })
})

describe('a CMDB that fails', () => {
  it.each<[number, string, string]>([
    [500, 'broken', 'Cannot GET the CMDB record: it answered 500'],
    [401, 'broken', 'Cannot GET the CMDB record: it answered 401'],
    [429, 'broken', 'Cannot GET the CMDB record: it answered 429'],
    [422, 'refused', 'Cannot register the machine: the CMDB refused it with 422'],
  ])('with %i makes the step %s', async (status, reason, message) => {
    const { cmdb } = await cmdbThat(() => ({ status, body: { error: 'token hunter2 is bad' } }))
    await expect(cmdb.register(record(), 'planned')).rejects.toMatchObject({ reason, message })
  })

  it('with 404 to a change is broken, not absent', async () => {
    const { cmdb } = await cmdbThat(({ method }) => ({ status: method === 'GET' ? 200 : 404, body: {} }))
    await expect(cmdb.register(record(), 'planned')).rejects.toThrow('Cannot POST the CMDB record: it answered 404')
  })

  it('is not followed to another address', async () => {
    const { cmdb, asked } = await cmdbThat(() => ({ status: 302, headers: { location: '/elsewhere' } }))
    await expect(cmdb.register(record(), 'planned')).rejects.toThrow('Cannot reach the CMDB')
    expect(asked).toHaveLength(1)
  })

  it('never shows a token that fits no header', async () => {
    const { cmdb } = await cmdbThat(table().answers, 'servicenow.yaml', async () => 'hunter2\r\nX-Evil: 1')
    const error = await cmdb.register(record(), 'planned').catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ message: 'Cannot ask the CMDB: its token is not one line of printable characters' })
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter2')
  })
})

describe('the file of a CMDB', () => {
  it.each(['servicenow.yaml', 'put.yaml'])('%s is taken', (file) => {
    expect(readCmdbConfig(folder + file)).toHaveProperty('lookup')
  })

  it('is refused with what is wrong with it', () => {
    const path = new URL('../../../triggers/place.yaml', import.meta.url).pathname
    expect(() => readCmdbConfig(path)).toThrow(`Cannot use ${path}: `)
  })

  it.each(['87654321', '[hunter2]', `hunter2${'2'.repeat(9_000)}`, '"hunter2\\r\\nx: 1"'])(
    'is refused without a word of a header that is %s',
    (value) => {
      const path = join(mkdtempSync(join(tmpdir(), 'drover-cmdb-')), 'cmdb.yaml')
      onTestFinished(() => rmSync(dirname(path), { recursive: true }))
      writeFileSync(
        path,
        readFileSync(`${folder}put.yaml`, 'utf8').replace('lookup:', `headers: { x-api-key: ${value} }\nlookup:`),
      )
      const refused = () => readCmdbConfig(path)
      expect(refused).toThrow('headers.x-api-key is not what was wanted, one line of printable characters')
      expect(refused).not.toThrow(/hunter2|8765/)
    },
  )
})
