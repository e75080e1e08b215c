import { type Here, notYet, type Outcome, type Run, succeeded } from '../../shared/step.ts'
import { plainName, type Resolver } from './assess.ts'

/** No name leads to where the machine was any more, where a resolver is configured. */
export async function absence(run: Run, resolver: Resolver | undefined, here: Here): Promise<Outcome> {
  const names = run.facts.dns ?? []
  if (!resolver) return succeeded(`Released what ${run.facts.name} had; no resolver is configured to ask for its names`)
  let left = ''
  while (!here.patience.aborted) {
    const found = await Promise.all(names.map(({ dnsName, recordType }) => resolver.resolve(dnsName, recordType)))
    // A name that nobody can be asked for may still resolve; one that leads elsewhere by now is somebody else's.
    left = names
      .flatMap(({ dnsName, targets }, index) => {
        const now = found[index]
        if (now === undefined) return [`${dnsName} (no name server answers)`]
        return now.some((target) => targets.map(plainName).includes(plainName(target))) ? [dnsName] : []
      })
      .join(', ')
    if (left === '') return succeeded(`No name server knows ${run.facts.name} any more`)
    await here.progress(`Waiting until these names are gone: ${left}`)
    await new Promise((done) => setTimeout(done, 500))
  }
  return notYet(`These names still resolve: ${left}`)
}
