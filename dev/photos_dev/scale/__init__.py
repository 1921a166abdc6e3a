"""How far the system scales, and what breaks first: a discrete-event simulation on paper (`make scale`).

| module | what it does |
|---|---|
| `constants` | AWS's limits and this project's settings, each with its unit and its source |
| `engine` | the clock: events in the order of their times |
| `limits` | what AWS admits: requests a second, execution environments, readers of a queue |
| `work` | what the function does with a photo: its calls, their repetitions, its CPU time |
| `delivery` | how an event reaches the function: by Lambda's own queue, or by SQS |
| `simulation` | photos from upload to READY or to a dead letter |
| `questions` | the scenarios, and a table for each |
| `chart` | docs/scale.svg |
| `check` | the same model beside the real function in the local AWS |
"""
