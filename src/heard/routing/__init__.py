"""Who gets a message, and why not the others.

lines.read_filter        a line of the workspace file -> Filter          (`written` goes back)
plan.Plan                the destinations of a workspace, made ready
  .route(message)        -> Routing: who gets it, and each refusal with its reason
answer.encode, decode    a Routing as the text that is kept with the message
document.routed          a kept message -> what filters read and destinations get
shape.shaped             -> what one destination's property filters leave of it
preview.preview          what filters would do, before anybody keeps them
"""
