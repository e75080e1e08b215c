import { describe, expect, it } from 'vitest'
import { nextOf, waysOn } from '../../local/closing.ts'
import { type Lived, readLife } from '../../local/life.ts'
import type { RequestFile } from '../../local/request.ts'
import type { World } from '../../local/world.ts'

const { life, end } = await readLife()
const [image, provision] = life as [RequestFile, RequestFile]
const misspelt: RequestFile = {
  ...provision,
  data: { ...(provision.data as object), name: 'web', template: 'linux-smal' },
}
const world = {
  broker: 'http://127.0.0.1:1/drover/default',
  git: { url: 'http://127.0.0.1:2/fleet.git' },
  feed: { url: 'http://127.0.0.1:3/events' },
  ports: { recover: 4 },
} as unknown as World

/** A run that has ended so; of a failed one the task that failed. */
const run = (request: RequestFile, fact: string, task?: string): Lived => ({
  request,
  ended: {
    type: request.type.replace('requested', fact),
    data: { vmName: 'web', ...(task && { failure: { task, title: '', message: '' } }) },
  } as Lived['ended'],
  milliseconds: 1,
})

/** What is offered after these runs: the title of each request. */
function offered(lived: Lived[], requests: RequestFile[]): string[] {
  const said = waysOn('.drover', world, lived, nextOf(lived, requests, end))
  return said.split('\n').flatMap((line, at, all) => (all[at + 1]?.includes('curl') ? [line.trim()] : []))
}

describe('the ways to go on', () => {
  it('are the end of the machine, and another machine', () => {
    const lived = [run(image, 'completed'), run(provision, 'completed')]
    expect(offered(lived, life)).toEqual(['# De-provisioning of this machine', '# Provisioning of another machine'])
  })

  it('say of a request that was refused that it is to be mended, and end no machine that was never made', () => {
    expect(offered([run(misspelt, 'rolledback', 'validate')], [misspelt])).toEqual([
      '# Provisioning of another machine; mend the request first: it was refused as it stands here',
    ])
  })

  it('offer again what failed on its way, for that may pass', () => {
    expect(offered([run(provision, 'rolledback', 'create.verify')], [provision])).toEqual([
      '# Provisioning of another machine',
    ])
  })

  it('offer the machine that the image was for when it was the image that was refused', () => {
    expect(offered([run(image, 'rolledback', 'validate')], life)).toEqual(['# Provisioning of another machine'])
  })
})
