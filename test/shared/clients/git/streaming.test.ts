import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startHelper } from '../../../../shared/clients/git/helper.ts'
import { indexPack } from '../../../../shared/clients/git/index-pack.ts'

/** The environment in which git is this script. */
async function gitThat(...lines: string[]) {
  const directory = await mkdtemp(join(tmpdir(), 'drover-git-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  await writeFile(join(directory, 'git'), `#!/bin/sh\n${lines.join('\n')}\n`)
  await chmod(join(directory, 'git'), 0o755)
  return { directory, env: { PATH: `${directory}:/usr/bin:/bin` } }
}

describe('what comes faster than it is taken', () => {
  it('is read piece by piece from a helper, the next one when the last has been taken', async () => {
    const { directory, env } = await gitThat('read command', 'for n in 1 2 3; do echo $n; sleep 0.05; done', 'read end')
    const helper = startHelper({ directory, url: 'http://127.0.0.1/fleet.git', env })
    onTestFinished(() => helper.end())
    let [taking, most, text] = [0, 0, '']
    const take = async (piece: Buffer) => {
      taking++
      most = Math.max(most, taking)
      await sleep(200)
      text += piece
      taking--
      return text.endsWith('3\n')
    }
    expect(await helper.stream('go\n', take, 10_000)).toMatchObject({ code: 0, timedOut: false })
    expect([most, text]).toEqual([1, '1\n2\n3\n'])
  })

  it('waits until index-pack has taken what there is of a pack', async () => {
    const { directory, env } = await gitThat('until [ -e "$0.go" ]; do sleep 0.05; done', 'cat >/dev/null')
    const config = {
      running: new Set<Promise<unknown>>(),
      signal: new AbortController().signal,
    }
    const pack = indexPack(config, { directory, env, timeout: 10_000 })
    await pack.ready()
    for (let band = 0; band < 20; band++) pack.write(Buffer.alloc(60_000))
    let isReady = false
    const ready = pack.ready().then(() => {
      isReady = true
    })
    await sleep(300)
    expect(isReady).toBe(false)
    await writeFile(join(directory, 'git.go'), '')
    await ready
    expect([await pack.end(), config.running.size]).toEqual([true, 0])
  })
})
