import { describe, expect, it } from 'vitest'
import { readEvent, writeEvent } from '../../../shared/event.ts'
import { hopsOf } from '../../../shared/run.ts'
import { type Outcome, succeeded } from '../../../shared/step.ts'
import { chainEvent, requestEvent } from '../events.ts'
import { linuxServer } from '../kubevirt/definitions.ts'
import { shellOf } from '../shells.ts'

/** What would end a run half way, with nobody to undo it: the Broker drops what a dead letter sink cannot read either. */

describe('a run', () => {
  it('counts its own hops, whatever its request says: it would be taken for a loop in its middle', async () => {
    const answer = await shellOf().deliver(requestEvent({ extensions: { hops: '95' } }))
    expect(answer).toMatchObject({ status: 200 })
    expect('event' in answer && hopsOf(answer.event)).toBe(1)
  })

  it('fails at the task whose event would be longer than anybody reads', async () => {
    const definition = linuxServer()
    const huge = { ...definition, guestConfiguration: { userData: 'x'.repeat(400_000), secrets: {} } }
    const changes = [{ path: 'vms/a/b/c/values.yaml', content: 'é'.repeat(400_000), expect: null }]
    const step = async (): Promise<Outcome> => ({ ...succeeded('built', { definition: huge }), changes }) as Outcome
    const answer = await shellOf(step).deliver(chainEvent('customize'))
    if (!('event' in answer)) throw new Error('no event was answered')
    expect(answer.event).toMatchObject({
      type: 'dev.drover.provision.create.build.failed',
      data: {
        failure: {
          message: expect.stringMatching(
            /^Cannot tell what "Create the artifacts" came to: its event would be 12\d{5} bytes long, wanted at most 1024000; make the customizations smaller$/,
          ),
        },
      },
    })
    const { headers, body } = writeEvent(answer.event)
    expect(readEvent(headers, body).dataProblem).toBeUndefined()
  })
})
