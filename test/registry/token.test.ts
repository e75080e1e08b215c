import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeDisk } from './disk.ts'
import { runPush, secret } from './push.ts'
import { account, makeRegistry, type Registry } from './registry.ts'
import { startTokenService, type TokenService } from './token-service.ts'

const directory = mkdtempSync(join(tmpdir(), 'drover-registry-token-'))
const disk = join(directory, 'disk.img')
let tokens: TokenService
let registry: Registry

beforeAll(async () => {
  makeDisk(disk)
  tokens = await startTokenService(directory)
  registry = await makeRegistry(directory, tokens.auth)
  await registry.start()
})
afterAll(async () => {
  await registry.kill()
  await tokens.close()
  rmSync(directory, { recursive: true, force: true })
})

const push = (given: Record<string, string>) =>
  runPush(directory, {
    ...{ repository: `${registry.host}/golden/rhel9`, disk, authorities: registry.authorities },
    credentials: secret(directory, { ...account, ...given }),
  })

describe('push-disk, where a registry wants tokens', () => {
  it('gets them for the repository alone, and new ones when they run out in the middle of a push', async () => {
    expect(await push({})).toMatchObject({ code: 0 })
    expect(tokens.asked.length).toBeGreaterThan(1)
    expect(new Set(tokens.asked)).toEqual(new Set(['repository:golden/rhel9:pull,push']))
  })

  it('says so when the token service does not take the password', async () => {
    const ended = await push({ password: 'wr0ng-passw0rd' })
    expect(ended).toMatchObject({
      code: 1,
      message: expect.stringMatching(/it answered 401 to a request for a token; look whether/),
    })
    expect(`${ended.message}${ended.log}`).not.toMatch(/wr0ng|once more/)
  })
})
