FROM rasa/rasa:3.6.21
COPY bot /bot
RUN rasa train --fixed-model-name bot
